//! Decodes base64url without padding (RFC 4648 section 5): 58 characters to 43 bytes.
//!
//! `verify` does this for every request, and its timing must not reveal the text: the decoder has no table, and no
//! branch that depends on a character. It works on eight characters at a time, one in each byte ("lane") of a `u64`:
//!
//! ```text
//! text       58 characters                                 "C-BRlAPL" "bAK_UU2z" … "JQ"
//! words      8 x 8 lanes, the first character lowest       the last word is filled up with "AAAAAA"
//! sextets    8 x 8 lanes of 0..=63                         RFC 4648 table 2, read backwards
//! packed     8 x 48 bits, the first character highest
//! bytes      43, and 40 bits (4 spare, 36 filled up)       the 40 bits must be zero
//! ```

pub(crate) const DECODED_LEN: usize = 43;
/// Four characters for three bytes (RFC 4648 section 4).
pub(crate) const ENCODED_LEN: usize = (DECODED_LEN * 4).div_ceil(3);

/// Fills `bytes`, and returns `Some` if the text is base64url and its spare bits are zero (section 3.5).
// Not inlined, because the compiler would then store the bytes in the pieces that the caller reads, which is slower.
#[inline(never)]
pub(crate) fn decode(text: &[u8; ENCODED_LEN], bytes: &mut [u8; DECODED_LEN]) -> Option<()> {
    // Neither `?` below can fail: eight bytes are a word, and six words hold the 43 bytes.
    let [.., y, z] = *text;
    let mut words = [u64::from_le_bytes([y, z, b'A', b'A', b'A', b'A', b'A', b'A']); 8];
    for (word, eight) in words.iter_mut().zip(text.chunks_exact(8)) {
        *word = u64::from_le_bytes(eight.try_into().ok()?);
    }

    let mut bad = 0;
    for word in &mut words {
        let (sextets, invalid) = sextets_of(*word);
        bad |= invalid;
        *word = pack(sextets);
    }

    // Eight words of 6 bytes make six words of 8.
    let [a, b, c, d, e, f, g, h] = words;
    let joined = [
        (a << 16) | (b >> 32), // aaaaaabb
        (b << 32) | (c >> 16), // bbbbcccc
        (c << 48) | d,         // ccdddddd
        (e << 16) | (f >> 32), // eeeeeeff
        (f << 32) | (g >> 16), // ffffgggg
        (g << 48) | h,         // gghhhhhh
    ]
    .map(u64::to_be_bytes);
    *bytes = *joined.as_flattened().first_chunk()?;
    let spare = h & 0x00ff_ffff_ffff;
    ((bad | spare) == 0).then_some(())
}

/// Returns eight characters' sextets, in the low six bits of each lane, and a word that is zero if all eight belong to
/// the alphabet.
fn sextets_of(characters: u64) -> (u64, u64) {
    let upper = in_range(characters, b'A', b'Z');
    let lower = in_range(characters, b'a', b'z');
    let digit = in_range(characters, b'0', b'9');
    let minus = equal(characters, b'-');
    let underscore = equal(characters, b'_');

    // RFC 4648 table 2: a sextet is its character plus an offset, of which six bits count.
    //
    //   characters        sextets    offset        how a lane's mark, 0x80, becomes it
    //   A-Z   65..=90      0..=25    -65 = 0x3f    0x7f, whose low six bits these are
    //   a-z   97..=122    26..=51    -71 = 0x39    0x7f, masked
    //   0-9   48..=57     52..=61      4 = 0x04    shifted
    //   -     45          62          17 = 0x11    shifted, twice
    //   _     95          63         -32 = 0x20    shifted
    let fill = |mark: u64| mark.wrapping_sub(mark >> 7);
    let offset =
        fill(upper) | (fill(lower) & splat(0x39)) | (digit >> 5) | (minus >> 3) | (minus >> 7) | (underscore >> 2);

    // No offset is zero, so that a lane without one holds no character of the alphabet.
    let valid = offset.wrapping_add(splat(0x7f));
    (characters.wrapping_add(offset), (characters | !valid) & splat(0x80))
}

/// Joins the low six bits of eight lanes to 48 bits. The first character is in the lowest lane, but has the highest
/// bits (section 4), so each step swaps neighbours as it joins them:
///
/// ```text
/// lanes     xxhhhhhh xxgggggg xxffffff xxeeeeee xxdddddd xxcccccc xxbbbbbb xxaaaaaa
/// twelves   ....gggg gghhhhhh ....eeee eeffffff ....cccc ccdddddd ....aaaa aabbbbbb
/// 24 bits   ........ eeeeeeff ffffgggg gghhhhhh ........ aaaaaabb bbbbcccc ccdddddd
/// 48 bits   ........ ........ aaaaaabb bbbbcccc ccdddddd eeeeeeff ffffgggg gghhhhhh
/// ```
const fn pack(sextets: u64) -> u64 {
    let twelves = ((sextets & 0x003f_003f_003f_003f) << 6) | ((sextets >> 8) & 0x003f_003f_003f_003f);
    let halves = ((twelves & 0x0000_0fff_0000_0fff) << 12) | ((twelves >> 16) & 0x0000_0fff_0000_0fff);
    ((halves & 0x0000_0000_00ff_ffff) << 24) | ((halves >> 32) & 0x0000_0000_00ff_ffff)
}

/// The same byte in every lane.
const fn splat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

// Both mark a lane by its top bit. Lanes below 0x80 carry nothing into each other; `sextets_of` refuses all others.

const fn in_range(characters: u64, first: u8, last: u8) -> u64 {
    let from_first = characters.wrapping_add(splat(0x80_u8.wrapping_sub(first)));
    let past_last = characters.wrapping_add(splat(0x7f_u8.wrapping_sub(last)));
    from_first & !past_last & splat(0x80)
}

const fn equal(characters: u64, character: u8) -> u64 {
    splat(0x80).wrapping_sub(characters ^ splat(character)) & splat(0x80)
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
