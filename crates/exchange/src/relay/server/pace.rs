//! How fast a peer may go: a bucket that refills with time.

/// Admits `per_minute` events a minute, as many at once after a quiet minute.
pub(super) struct Pace {
    per_minute: u64,
    /// What is left, in 1/60,000 of an event: one millisecond refills `per_minute` of these.
    left: u64,
    at: u64,
}

/// The parts into which an event is divided, see [`Pace::left`].
const PARTS: u64 = 60_000;

impl Pace {
    pub(super) fn new(per_minute: u32, now: u64) -> Self {
        let per_minute = u64::from(per_minute);
        Self { per_minute, left: per_minute * PARTS, at: now }
    }

    /// Takes one event, or says in how many milliseconds there is one again.
    pub(super) fn take(&mut self, now: u64) -> Result<(), u32> {
        // A clock that is set back gives nothing and takes nothing.
        let passed = now.saturating_sub(self.at);
        self.at = now;
        self.left = self.left.saturating_add(passed.saturating_mul(self.per_minute)).min(self.per_minute * PARTS);
        if self.left >= PARTS {
            self.left -= PARTS;
            return Ok(());
        }
        let missing = (PARTS - self.left).div_ceil(self.per_minute.max(1));
        Err(u32::try_from(missing).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_refills_with_the_clock() {
        let mut pace = Pace::new(60, 1_000);
        for _ in 0..60 {
            assert_eq!(pace.take(1_000), Ok(()));
        }
        assert_eq!(pace.take(1_000), Err(1_000));
        assert_eq!(pace.take(1_400), Err(600));
        assert_eq!(pace.take(2_000), Ok(()));
        assert_eq!(pace.take(2_000), Err(1_000));
        // Set back, then an hour ahead: a minute's worth, no more.
        assert_eq!(pace.take(500), Err(1_000));
        let admitted = (0..100).filter(|_| pace.take(3_600_000).is_ok()).count();
        assert_eq!(admitted, 60);
        assert!(Pace::new(0, 0).take(u64::MAX).is_err());
    }
}
