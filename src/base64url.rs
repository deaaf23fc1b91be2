//! Base64url without padding (RFC 4648 section 5) of one payload, with no table, comparison or branch on a character:
//! whatever the compiler makes of it, vectors or plain words, only lengths decide where it jumps and what it loads.

pub(crate) const DECODED_LEN: usize = 43;
/// Four characters for three bytes (RFC 4648 section 4).
pub(crate) const ENCODED_LEN: usize = (DECODED_LEN * 4).div_ceil(3);

/// Fills `bytes` with what the text stands for; `Some` if all of it is base64url and the bits past the last byte are zero.
// Out of line, and written before the verdict: inlined or returned, the bytes were cut into pieces whose joining took as
// long as the decoding.
#[inline(never)]
pub(crate) fn decode(text: &[u8; ENCODED_LEN], bytes: &mut [u8; DECODED_LEN]) -> Option<()> {
    // `A` is zero: filled up with it, the last word is whole and the spare bits are the first of its zeros.
    let &[y, z] = text.last_chunk()?;
    let mut words = [u64::from_le_bytes([y, z, b'A', b'A', b'A', b'A', b'A', b'A']); 8];
    for (word, eight) in words.iter_mut().zip(text.chunks_exact(8)) {
        *word = u64::from_le_bytes(eight.try_into().ok()?);
    }

    let mut bad = 0;
    for word in &mut words {
        let (values, invalid) = values(*word);
        bad |= invalid;
        // The first character is the lowest lane but the highest six bits: neighbours are swapped as they are joined.
        let twelves = ((values & 0x003f_003f_003f_003f) << 6) | ((values >> 8) & 0x003f_003f_003f_003f);
        let halves = ((twelves & 0x0fff_0000_0fff) << 12) | ((twelves >> 16) & 0x0fff_0000_0fff);
        *word = ((halves & 0xff_ffff) << 24) | (halves >> 32);
    }

    let [a, b, c, d, e, f, g, h] = words;
    *bytes = *[
        (a << 16) | (b >> 32),
        (b << 32) | (c >> 16),
        (c << 48) | d,
        (e << 16) | (f >> 32),
        (f << 32) | (g >> 16),
        (g << 48) | h,
    ]
    .map(u64::to_be_bytes)
    .as_flattened()
    .first_chunk()?;
    let spare = h & 0xff_ffff_ffff;
    (bad | spare == 0).then_some(())
}

/// The values of eight characters, in the low six bits of each lane, and zero if all of them belong to the alphabet.
fn values(characters: u64) -> (u64, u64) {
    let upper = between(characters, b'A', b'Z');
    let lower = between(characters, b'a', b'z');
    let digit = between(characters, b'0', b'9');
    let minus = equal(characters, b'-');
    let underscore = equal(characters, b'_');

    // What leads from a character to its value (RFC 4648 table 2), modulo 64: -65, -71, 4, 17 and -32, by shifts of the
    // mark where that is cheaper than a mask. None of them is zero, so a lane that is left at zero is invalid.
    let ones = |mark: u64| mark.wrapping_sub(mark >> 7);
    let offset =
        ones(upper) | (ones(lower) & lanes(57)) | (digit >> 5) | (minus >> 3) | (minus >> 7) | (underscore >> 2);
    let valid = offset.wrapping_add(lanes(0x7f));
    (characters.wrapping_add(offset), (characters | !valid) & lanes(0x80))
}

/// A word with the same byte in each of its eight lanes.
const fn lanes(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

// Both mark a lane by its top bit. Lanes below 0x80 carry nothing into each other; one above makes its word invalid.

const fn between(characters: u64, first: u8, last: u8) -> u64 {
    let from_first = characters.wrapping_add(lanes(0x80_u8.wrapping_sub(first)));
    let past_last = characters.wrapping_add(lanes(0x7f_u8.wrapping_sub(last)));
    from_first & !past_last & lanes(0x80)
}

const fn equal(characters: u64, character: u8) -> u64 {
    lanes(0x80).wrapping_sub(characters ^ lanes(character)) & lanes(0x80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64UrlUnpadded, Encoding};

    fn ours(text: &[u8; ENCODED_LEN]) -> Option<[u8; DECODED_LEN]> {
        let mut bytes = [0; DECODED_LEN];
        decode(text, &mut bytes).map(|()| bytes)
    }

    /// The library's answer to the same text.
    fn oracle(text: &[u8; ENCODED_LEN]) -> Option<[u8; DECODED_LEN]> {
        let mut bytes = [0; DECODED_LEN];
        Base64UrlUnpadded::decode(text, &mut bytes).ok()?.try_into().ok()
    }

    /// Every byte at every place of texts that together hold every character everywhere.
    #[test]
    fn verdict_and_bytes_are_the_librarys() {
        for fill in (0..=u8::MAX).step_by(51) {
            let mut text = [0; ENCODED_LEN];
            let bytes: [u8; DECODED_LEN] = core::array::from_fn(|i| fill.wrapping_mul(i as u8).wrapping_add(fill));
            assert!(Base64UrlUnpadded::encode(&bytes, &mut text).is_ok());
            assert_eq!(ours(&text), Some(bytes));
            for place in 0..ENCODED_LEN {
                for byte in 0..=u8::MAX {
                    let mut text = text;
                    text.iter_mut().skip(place).take(1).for_each(|at| *at = byte);
                    assert_eq!(ours(&text), oracle(&text), "{byte} at {place}");
                }
            }
        }
    }

    /// A lane must not carry into its neighbour: two bytes in one word, each of them anything.
    #[test]
    fn neighbours_do_not_disturb_each_other() {
        for place in [6, 7] {
            for (one, other) in (0..=u8::MAX).flat_map(|one| (0..=u8::MAX).map(move |other| (one, other))) {
                let mut text = [b'A'; ENCODED_LEN];
                text.iter_mut()
                    .skip(place)
                    .zip([one, other])
                    .for_each(|(at, byte)| *at = byte);
                assert_eq!(ours(&text), oracle(&text), "{one} and {other} at {place}");
            }
        }
    }
}
