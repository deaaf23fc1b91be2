//! Base64url (RFC 4648 section 5, no padding) of one payload, four characters at a time and all of them in parallel.
//!
//! Neither a table nor a comparison: whatever the compiler makes of it, vectors or plain words, nothing but the length
//! of the loops decides where it jumps and what it loads.

pub(crate) const DECODED_LEN: usize = 43;
/// Four characters for three bytes (RFC 4648 section 4).
pub(crate) const ENCODED_LEN: usize = (DECODED_LEN * 4).div_ceil(3);
const QUANTA: usize = ENCODED_LEN.div_ceil(4);

/// First character, last character, value of the first: RFC 4648 section 5, table 2.
const ALPHABET: [(u8, u8, u8); 5] = [
    (b'A', b'Z', 0),
    (b'a', b'z', 26),
    (b'0', b'9', 52),
    (b'-', b'-', 62),
    (b'_', b'_', 63),
];

/// A word with the same byte in each of its four lanes.
const fn lanes(byte: u8) -> u32 {
    u32::from_ne_bytes([byte; 4])
}

pub(crate) fn decode(text: &[u8; ENCODED_LEN]) -> Option<[u8; DECODED_LEN]> {
    // `A` is zero: filled up with it, the last quantum is whole and its spare bits are the bytes past the payload.
    let mut quanta = [[b'A'; 4]; QUANTA];
    quanta
        .as_flattened_mut()
        .iter_mut()
        .zip(text)
        .for_each(|(to, from)| *to = *from);

    let mut bad = 0;
    let mut bytes = [[0; 3]; QUANTA];
    for (to, from) in bytes.iter_mut().zip(quanta) {
        let (sextets, invalid) = sextets(u32::from_be_bytes(from));
        bad |= invalid;
        let pairs = (sextets & 0x003f_003f) | ((sextets & 0x3f00_3f00) >> 2);
        let [_, quantum @ ..] = ((pairs & 0xfff) | ((pairs & 0x0fff_0000) >> 4)).to_be_bytes();
        *to = quantum;
    }
    let (payload, spare) = bytes.as_flattened().split_first_chunk()?;
    bad |= spare.iter().fold(0, |all, byte| all | u32::from(*byte));
    (bad == 0).then_some(*payload)
}

/// The values of four characters, and a word that is zero if all four belong to the alphabet.
fn sextets(characters: u32) -> (u32, u32) {
    let (mut valid, mut offset) = (0, 0);
    for (first, last, value) in ALPHABET {
        // Below 0x80, adding `0x80 - n` sets a lane's top bit from `n` on and carries nothing into the next lane.
        let from_first = characters.wrapping_add(lanes(0x80_u8.wrapping_sub(first)));
        let past_last = characters.wrapping_add(lanes(0x7f_u8.wrapping_sub(last)));
        let inside = from_first & !past_last & lanes(0x80);
        valid |= inside;
        // 0x80 - 0x01: seven ones, all that the sum below needs.
        offset |= inside.wrapping_sub(inside >> 7) & lanes(value.wrapping_sub(first) & 0x7f);
    }
    let invalid = (!valid | characters) & lanes(0x80);
    (characters.wrapping_add(offset) & lanes(0x3f), invalid)
}
