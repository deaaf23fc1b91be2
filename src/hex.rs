//! Decodes hexadecimal digits (RFC 4648 section 8), and describes what is wrong with any other text.

use core::{fmt, num::NonZeroUsize};

/// Why a [`ClientSecret`](crate::ClientSecret), a [`KeyId`](crate::KeyId) or an entry of a list could not be parsed.
///
/// `Display` says how many hexadecimal digits were expected, and how many characters (not bytes) were found or the
/// position of the first other character. For a list it also names the entry. Entries and positions count from 1; a
/// position is counted within its entry.
///
/// The error never quotes the input. 65 characters in a secret usually mean a trailing newline; 66, surrounding quotes.
///
/// # Examples
///
/// ```
/// use client_keys::KeyId;
///
/// let client_keys = "0123456789abcdef0123456789abcd, 0123456789abcdeg0123456789abcd";
/// let error = KeyId::parse_list(client_keys).collect::<Result<Vec<_>, _>>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "entry 2: expected 30 hexadecimal digits, found another character at position 16",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    entry: Option<NonZeroUsize>,
    expected_digits: usize,
    found: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Characters(usize),
    NoDigitAt(usize),
}

impl ParseError {
    /// Names the entry of a list, counted from 1.
    pub(crate) fn in_entry(self, number: usize) -> Self {
        Self {
            entry: NonZeroUsize::new(number),
            ..self
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(entry) = self.entry {
            write!(f, "entry {entry}: ")?;
        }
        write!(f, "expected {} hexadecimal digits, ", self.expected_digits)?;
        match self.found {
            Found::Characters(1) => f.write_str("found 1 character"),
            Found::Characters(count) => write!(f, "found {count} characters"),
            Found::NoDigitAt(position) => write!(f, "found another character at position {position}"),
        }
    }
}

impl core::error::Error for ParseError {}

/// Fills `bytes` from exactly twice as many hexadecimal digits, in either case.
// The time does not depend on the digits. Only a refused text is searched for its first other character.
pub(crate) fn decode(text: &str, bytes: &mut [u8]) -> Result<(), ParseError> {
    let expected_digits = bytes.len().saturating_mul(2);
    if text.len() == expected_digits && base16ct::mixed::decode(text, bytes).is_ok() {
        return Ok(());
    }
    let characters = text.chars().count();
    let no_digit = text.chars().position(|c| !c.is_ascii_hexdigit());
    let found = match no_digit {
        Some(index) if characters == expected_digits => Found::NoDigitAt(index.saturating_add(1)),
        _ => Found::Characters(characters),
    };
    Err(ParseError {
        entry: None,
        expected_digits,
        found,
    })
}
