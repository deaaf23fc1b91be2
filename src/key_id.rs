use crate::hex::{self, ParseError};
use core::{fmt, str::FromStr};

/// The id of a client key (`key_id`), which the operator lists in `CLIENT_KEYS`.
///
/// An id is 15 bytes that [`issue`](crate::issue) draws at random. Its text is 30 hexadecimal digits (RFC 4648
/// section 8), written in lower case and parsed in either case. Ids sort by their bytes, and so by their digits.
///
/// # Security
///
/// An id is not a secret: nobody can make a token from it without the secret, and you may log it. But someone who
/// steals the secret can forge a token for every id that they know, so where that matters, store and log only its
/// SHA-256. Ids are not erased on drop. The time of `==` and of the ordering depends on the ids;
/// [`verify`](crate::verify) uses neither.
///
/// # Examples
///
/// ```
/// use client_keys::KeyId;
///
/// let id: KeyId = "0123456789ABCDEF0123456789abcd".parse()?;
/// assert_eq!(id.to_string(), "0123456789abcdef0123456789abcd");
///
/// let error = "0123".parse::<KeyId>().unwrap_err();
/// assert_eq!(error.to_string(), "expected 30 hexadecimal digits, found 4 characters");
/// # Ok::<(), client_keys::ParseError>(())
/// ```
// Two words, because `verify` compares an id with thousands of others. The first holds seven bytes, behind a zero, so
// that the derived order is that of the bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    first: u64,
    last: u64,
}

impl KeyId {
    pub(crate) const LEN: usize = 15;

    /// Makes an id from its 15 bytes. An allow list in a `static` takes no RAM. The macro `hex_literal::hex!` turns
    /// digits into bytes at compile time.
    ///
    /// # Examples
    ///
    /// ```
    /// use client_keys::KeyId;
    ///
    /// static CLIENT_KEYS: [KeyId; 1] = [
    ///     KeyId::from_bytes(*b"\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd"),
    /// ];
    /// assert_eq!(CLIENT_KEYS[0].to_string(), "0123456789abcdef0123456789abcd");
    /// ```
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 15]) -> Self {
        let [a, b, c, d, e, f, g, last @ ..] = bytes;
        Self {
            first: u64::from_be_bytes([0, a, b, c, d, e, f, g]),
            last: u64::from_be_bytes(last),
        }
    }

    /// Returns the id's 15 bytes, for example to hash them for a database column.
    ///
    /// # Examples
    ///
    /// ```
    /// use client_keys::KeyId;
    ///
    /// assert_eq!(KeyId::from_bytes([7; 15]).to_bytes(), [7; 15]);
    /// ```
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 15] {
        let [_, bytes @ ..] = (((self.first as u128) << 64) | self.last as u128).to_be_bytes();
        bytes
    }

    /// Parses an allow list (`CLIENT_KEYS`): ids of 30 hexadecimal digits, separated by commas.
    ///
    /// ASCII white space around an entry is dropped, and empty entries are skipped. An empty list accepts no key.
    ///
    /// # Errors
    ///
    /// Yields an error for each entry that is not an id. The [`ParseError`] names the entry, counted from 1 and
    /// including the empty ones. Collect into a `Result`: `flatten` would silently drop a mistyped id.
    ///
    /// # Examples
    ///
    /// ```
    /// use client_keys::{KeyId, ParseError};
    ///
    /// let text = "0123456789abcdef0123456789abcd, 89abcdef0123456789abcdef012345,";
    /// let allowed: Vec<KeyId> = KeyId::parse_list(text).collect::<Result<_, ParseError>>()?;
    /// assert_eq!(allowed.len(), 2);
    ///
    /// let error = KeyId::parse_list("xxx, another-key").collect::<Result<Vec<_>, _>>().unwrap_err();
    /// assert_eq!(error.to_string(), "entry 1: expected 30 hexadecimal digits, found 3 characters");
    /// # Ok::<(), ParseError>(())
    /// ```
    pub fn parse_list(text: &str) -> impl Iterator<Item = Result<KeyId, ParseError>> {
        (1..)
            .zip(text.split(','))
            .map(|(number, entry)| (number, entry.trim_ascii()))
            .filter(|(_, entry)| !entry.is_empty())
            .map(|(number, entry)| entry.parse().map_err(|error: ParseError| error.in_entry(number)))
    }

    /// Returns a word whose top bit is set if and only if the ids differ.
    // A word and not a `bool`, because a compiler that sees a boolean may branch on it (README of `subtle`). Both
    // words' differences go into the one bit, so that an id that shares a word with each of two listed ids is neither
    // of them.
    pub(crate) const fn difference(self, other: Self) -> u64 {
        let difference = (self.first ^ other.first) | (self.last ^ other.last);
        difference | difference.wrapping_neg()
    }
}

/// Parses exactly 30 hexadecimal digits, in either case.
impl FromStr for KeyId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut bytes = [0; Self::LEN];
        hex::decode(text, &mut bytes)?;
        Ok(Self::from_bytes(bytes))
    }
}

/// Writes 30 lower-case hexadecimal digits. Width and precision apply as they do to a `str`.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 2 * Self::LEN];
        f.pad(base16ct::lower::encode_str(&self.to_bytes(), &mut digits).map_err(|_| fmt::Error)?)
    }
}

/// Writes the same 30 digits as `Display`.
impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
