//! Vectors, one byte a number: a quarter of the size, and for whether two questions mean the same
//! the loss does not count (under 0.002 of similarity).

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A direction. Lengths don't matter to the cosine, so they are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vector(Vec<i8>);

impl Vector {
    /// None of a vector that has no direction, or that is none.
    pub(crate) fn new(numbers: &[f32]) -> Option<Self> {
        let largest = numbers.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
        let is_fine = numbers.iter().all(|number| number.is_finite());
        if !is_fine || largest == 0.0 || numbers.len() > NUMBERS_MAX {
            return None;
        }
        Some(Self(numbers.iter().map(|number| quantised(number / largest)).collect()))
    }

    /// As text.
    pub(crate) fn write(&self) -> String {
        let bytes: Vec<u8> = self.0.iter().flat_map(|number| number.to_le_bytes()).collect();
        STANDARD_NO_PAD.encode(bytes)
    }

    /// What `write` wrote.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let bytes = STANDARD_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.into_iter().map(|byte| i8::from_le_bytes([byte])).collect()))
    }

    /// The cosine of the angle between them; none for vectors of different models.
    pub(crate) fn similarity(&self, other: &Self) -> Option<f32> {
        if self.0.len() != other.0.len() {
            return None;
        }
        let pairs = self.0.iter().zip(&other.0);
        let dot: f32 = pairs.map(|(left, right)| f32::from(*left) * f32::from(*right)).sum();
        let lengths = self.length() * other.length();
        (lengths > 0.0).then(|| dot / lengths)
    }

    fn length(&self) -> f32 {
        self.0.iter().map(|number| f32::from(*number) * f32::from(*number)).sum::<f32>().sqrt()
    }
}

#[expect(clippy::as_conversions, reason = "no other way from f32 to i8; within -127 and 127")]
fn quantised(share: f32) -> i8 {
    (share * 127.0).round() as i8
}

/// More than any embedding model gives.
const NUMBERS_MAX: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::Vector;

    fn some(seed: u32, count: u32) -> Vec<f32> {
        let number = |at: u32| {
            let mixed = (at.wrapping_mul(2_654_435_761) ^ seed).wrapping_mul(2_246_822_519) >> 16;
            f32::from(u16::try_from(mixed).unwrap()) / 32_768.0 - 1.0
        };
        (0..count).map(number).collect()
    }

    fn cosine(left: &[f32], right: &[f32]) -> f32 {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(left, right) / (dot(left, left).sqrt() * dot(right, right).sqrt())
    }

    #[test]
    fn the_loss_is_small() {
        for seed in 0..50 {
            let (left, noise) = (some(seed, 768), some(seed + 1000, 768));
            let right: Vec<f32> = left.iter().zip(&noise).map(|(a, b)| a * 3.0 + b).collect();
            let exact = cosine(&left, &right);
            let vectors = (Vector::new(&left).unwrap(), Vector::new(&right).unwrap());
            let near = vectors.0.similarity(&vectors.1).unwrap();
            assert!((exact - near).abs() < 0.002, "{exact} {near}");
        }
    }

    #[test]
    fn text_is_read_back() {
        let vector = Vector::new(&some(7, 100)).unwrap();
        assert_eq!(Vector::read(&vector.write()), Some(vector));
    }

    #[test]
    fn what_has_no_direction_is_refused() {
        assert_eq!(Vector::new(&[]), None);
        assert_eq!(Vector::new(&[0.0, 0.0]), None);
        assert_eq!(Vector::new(&[1.0, f32::NAN]), None);
        assert_eq!(Vector::new(&[1.0, f32::INFINITY]), None);
        let (short, long) = (Vector::new(&[1.0]).unwrap(), Vector::new(&[1.0, 2.0]).unwrap());
        assert_eq!(short.similarity(&long), None);
        assert_eq!(Vector::read("no base64!"), None);
    }
}
