//! TLS to the database, by rustls: `sslmode` and `sslrootcert` as libpq's chapter "SSL Support" defines them.

use percent_encoding::percent_decode_str;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_native_certs::{ErrorKind, load_certs_from_paths, load_native_certs};
use std::{net::IpAddr, sync::Arc};
use tokio_postgres::config::{ChannelBinding, Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::{info, warn};

/// How to connect to the database.
pub struct Config {
    pub postgres: tokio_postgres::Config,
    pub tls: MakeRustlsConnect,
    sslmode: String,
    is_verified: bool,
}

/// The options of a URL that the client library knows in part or not at all.
#[derive(Default)]
pub struct Options {
    sslmode: Option<String>,
    sslrootcert: Option<String>,
}

impl Options {
    /// Takes the options out of a URL, and returns the rest of it.
    pub fn take(url: &str) -> (String, Self) {
        let mut options = Self::default();
        // A `?` before the @ is the password's.
        let start = url.find('@').unwrap_or(0);
        let Some(end) = url[start..].find('?') else {
            return (url.to_owned(), options);
        };
        let (url, query) = url.split_at(start + end + 1);
        let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let mut rest = Vec::new();
        for option in query.split('&') {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match decode(name).as_str() {
                "sslmode" => options.sslmode = Some(decode(value)),
                "sslrootcert" => options.sslrootcert = Some(decode(value)),
                _ => rest.push(option),
            }
        }
        (url.to_owned() + &rest.join("&"), options)
    }
}

impl Config {
    pub fn new(mut postgres: tokio_postgres::Config, options: Options) -> Result<Self, String> {
        let system = options.sslrootcert.as_deref() == Some("system");
        let default = if system { "verify-full" } else { "prefer" };
        let sslmode = options.sslmode.unwrap_or_else(|| default.to_owned());
        let roots = match (sslmode.as_str(), options.sslrootcert.as_deref()) {
            ("verify-full", path) => Some(read_roots(path.unwrap_or("system"))?),
            ("verify-ca" | "require", Some("system")) => {
                return Err("sslrootcert=system needs sslmode=verify-full".into());
            }
            ("verify-ca" | "require", Some(path)) => Some(read_roots(path)?),
            ("verify-ca", None) => return Err("sslmode=verify-ca needs sslrootcert".into()),
            ("require" | "prefer" | "disable", None) => None,
            ("prefer" | "disable", Some(_)) => return Err("sslrootcert needs sslmode=verify-full".into()),
            _ => return Err("sslmode: expected disable, prefer, require, verify-ca or verify-full".into()),
        };
        // PostgreSQL speaks no TLS on Unix sockets.
        let is_socket = postgres.get_hostaddrs().is_empty() && matches!(postgres.get_hosts(), [Host::Unix(_), ..]);
        postgres.ssl_mode(match sslmode.as_str() {
            _ if is_socket => SslMode::Disable,
            "disable" => SslMode::Disable,
            "prefer" => SslMode::Prefer,
            _ => SslMode::Require,
        });
        if postgres.get_channel_binding() == ChannelBinding::Require && postgres.get_ssl_mode() != SslMode::Require {
            return Err("channel_binding=require needs sslmode=require, verify-ca or verify-full".into());
        }
        // Without a host the client library starts no TLS.
        if postgres.get_hosts().is_empty() {
            for address in postgres.get_hostaddrs().to_vec() {
                postgres.host(address.to_string());
            }
        }
        let is_named = |host: &Host| matches!(host, Host::Tcp(name) if ServerName::try_from(name.as_str()).is_ok());
        if postgres.get_ssl_mode() != SslMode::Disable && !postgres.get_hosts().iter().all(is_named) {
            return Err("host: TLS needs a DNS name or an IP address".into());
        }
        let provider = ring::default_provider();
        let is_verified = roots.is_some() && !is_socket;
        let verifier = Verifier {
            roots,
            with_name: sslmode == "verify-full",
            algorithms: provider.signature_verification_algorithms,
        };
        let tls = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS needs")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let tls = MakeRustlsConnect::new(tls);
        Ok(Self {
            postgres,
            tls,
            sslmode,
            is_verified,
        })
    }

    /// Logs how far the connection can be trusted.
    pub fn report(&self) {
        let sslmode = &self.sslmode;
        let is_loopback = |host: &Host| match host {
            Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
            Host::Unix(_) => true,
        };
        let is_local = match self.postgres.get_hostaddrs() {
            [] => self.postgres.get_hosts().iter().all(is_loopback),
            addresses => addresses.iter().all(IpAddr::is_loopback),
        };
        let trust = match (self.is_verified, is_local) {
            (true, _) if sslmode == "verify-full" => "the service verifies the database's certificate and name",
            (true, _) => "the service verifies the database's certificate, but not its name",
            (false, true) => "the service does not verify the database, which is on this machine",
            (false, false) => {
                let risk = "so an attacker may forge its answers; set sslmode=verify-full";
                return warn!(sslmode, "the service does not verify the database, {risk}");
            }
        };
        info!(sslmode, "{trust}");
    }
}

fn read_roots(path: &str) -> Result<RootCertStore, String> {
    let found = match path {
        "system" => load_native_certs(),
        path => load_certs_from_paths(Some(path.as_ref()), None),
    };
    let mut roots = RootCertStore::empty();
    let (added, damaged) = roots.add_parsable_certificates(found.certs);
    match found.errors.first().map(|error| &error.kind) {
        // Some of the system's certificates may be of no use.
        _ if added > 0 && path == "system" => Ok(roots),
        None if added > 0 && damaged == 0 => Ok(roots),
        _ if path == "system" => Err("sslrootcert=system: found no certificates; install ca-certificates".to_owned()),
        Some(ErrorKind::Io { inner, .. }) => Err(format!("sslrootcert: {inner}")),
        _ => Err("sslrootcert: expected a PEM file of CA certificates, all of them undamaged".to_owned()),
    }
}

type Signature = Result<HandshakeSignatureValid, Error>;

/// Verifies chain, dates and purpose if the mode has CA certificates, and the name if the mode says so. rustls has no
/// verifier for the weaker modes.
#[derive(Debug)]
struct Verifier {
    roots: Option<RootCertStore>,
    with_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let verified = ParsedCertificate::try_from(certificate).and_then(|certificate| {
                let algorithms = self.algorithms.all;
                verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
                if self.with_name {
                    verify_server_name(&certificate, name)
                } else {
                    Ok(())
                }
            });
            verified.map_err(|error| advise(&error))?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(&self, text: &[u8], of: &CertificateDer<'_>, by: &DigitallySignedStruct) -> Signature {
        verify_tls12_signature(text, of, by, &self.algorithms)
    }

    fn verify_tls13_signature(&self, text: &[u8], of: &CertificateDer<'_>, by: &DigitallySignedStruct) -> Signature {
        verify_tls13_signature(text, of, by, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Adds what the operator can do.
fn advise(error: &Error) -> Error {
    use CertificateError::{BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext};
    use CertificateError::{NotValidYet, NotValidYetContext, UnknownIssuer};
    let advice = match error {
        // `BadSignature`: the CA has a new key under its old name.
        Error::InvalidCertificate(UnknownIssuer | BadSignature) => "set sslrootcert to the file of its CA",
        Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => "set host to a name in it",
        Error::InvalidCertificate(Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }) => {
            "renew it, or set this machine's clock"
        }
        _ => "issue one of version 3 for servers, signed by a CA",
    };
    Error::Other(OtherError(Arc::from(Box::from(format!("{error}; {advice}")))))
}
