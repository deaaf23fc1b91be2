use zeroize::Zeroize;

/// Bytes that are erased when they are dropped. As a slice, in one go: zeroize 1.9's `Zeroizing` writes an array byte by
/// byte, which took a tenth of `issue`'s time.
pub(crate) struct Wiped<const N: usize>(pub(crate) [u8; N]);

impl<const N: usize> Drop for Wiped<N> {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}
