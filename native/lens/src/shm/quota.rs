//! How much memory a client, and all clients of the lens together, may make the compositor map and the lens copy.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use thiserror::Error;

const GIB: u64 = 1 << 30;
/// Address space: clients make sparse pools far larger than what they draw (foot: 512 MiB each).
const MAPPED: Limits = Limits {
    count: 512,
    client_bytes: 8 * GIB,
    instance_bytes: 64 * GIB,
};
/// Memory of the lens's own, for buffers in files that can't be sealed.
const COPIED: Limits = Limits {
    count: 4096,
    client_bytes: GIB,
    instance_bytes: 4 * GIB,
};

#[derive(Debug, Error, PartialEq, Eq)]
pub enum QuotaError {
    #[error("more than {0} shared memory pools or buffers")]
    Count(u32),
    #[error(
        "more than {client_bytes} bytes of shared memory in one client, or {instance_bytes} in all"
    )]
    Bytes {
        client_bytes: u64,
        instance_bytes: u64,
    },
}

#[derive(Debug)]
struct Limits {
    count: u32,
    client_bytes: u64,
    instance_bytes: u64,
}

/// What all clients hold, in bytes.
#[derive(Debug, Default)]
pub struct InstanceTotals {
    mapped: Arc<AtomicU64>,
    copied: Arc<AtomicU64>,
}

/// What one client holds.
#[derive(Debug)]
pub struct Quota {
    pub mapped: Rc<Ledger>,
    pub copied: Rc<Ledger>,
}

impl Quota {
    pub fn new(totals: &InstanceTotals) -> Self {
        Self {
            mapped: Ledger::new(&MAPPED, &totals.mapped),
            copied: Ledger::new(&COPIED, &totals.copied),
        }
    }
}

#[derive(Debug)]
pub struct Ledger {
    limits: &'static Limits,
    count: Cell<u32>,
    bytes: Cell<u64>,
    instance_bytes: Arc<AtomicU64>,
}

impl Ledger {
    fn new(limits: &'static Limits, instance_bytes: &Arc<AtomicU64>) -> Rc<Self> {
        let instance_bytes = instance_bytes.clone();
        Rc::new(Self {
            limits,
            count: Cell::default(),
            bytes: Cell::default(),
            instance_bytes,
        })
    }

    pub fn reserve(self: &Rc<Self>, bytes: u64) -> Result<Reservation, QuotaError> {
        if self.count.get() >= self.limits.count {
            return Err(QuotaError::Count(self.limits.count));
        }
        self.take(bytes)?;
        self.count.set(self.count.get() + 1);
        Ok(Reservation {
            ledger: self.clone(),
            bytes: Cell::new(bytes),
        })
    }

    fn take(&self, bytes: u64) -> Result<(), QuotaError> {
        let Limits {
            client_bytes,
            instance_bytes,
            ..
        } = *self.limits;
        let over = QuotaError::Bytes {
            client_bytes,
            instance_bytes,
        };
        let Some(mine) = self
            .bytes
            .get()
            .checked_add(bytes)
            .filter(|sum| *sum <= client_bytes)
        else {
            return Err(over);
        };
        let within = |all: u64| all.checked_add(bytes).filter(|sum| *sum <= instance_bytes);
        self.instance_bytes
            .fetch_update(Relaxed, Relaxed, within)
            .map_err(|_| over)?;
        self.bytes.set(mine);
        Ok(())
    }
}

/// The bytes of one pool or buffer; given back on drop.
#[derive(Debug)]
pub struct Reservation {
    ledger: Rc<Ledger>,
    bytes: Cell<u64>,
}

impl Reservation {
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    pub fn grow(&self, bytes: u64) -> Result<(), QuotaError> {
        self.ledger.take(bytes.saturating_sub(self.bytes.get()))?;
        self.bytes.set(bytes.max(self.bytes.get()));
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let bytes = self.bytes.get();
        self.ledger.count.set(self.ledger.count.get() - 1);
        self.ledger.bytes.set(self.ledger.bytes.get() - bytes);
        self.ledger.instance_bytes.fetch_sub(bytes, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_bounded_a_client_and_given_back() {
        let totals = InstanceTotals::default();
        let ledger = Quota::new(&totals).copied;
        let first = ledger.reserve(GIB - 1).expect("fits");
        assert!(matches!(ledger.reserve(2), Err(QuotaError::Bytes { .. })));
        assert!(first.grow(GIB + 1).is_err());
        assert_eq!(first.grow(GIB), Ok(()));
        drop(first);
        assert!(ledger.reserve(GIB).is_ok());
        assert_eq!(totals.copied.load(Relaxed), 0);
    }

    #[test]
    fn bytes_are_bounded_over_all_clients() {
        let totals = InstanceTotals::default();
        let clients: Vec<_> = (0..5).map(|_| Quota::new(&totals)).collect();
        let held: Vec<_> = clients
            .iter()
            .map(|client| client.copied.reserve(GIB))
            .collect();
        assert_eq!(
            held.iter()
                .filter(|reservation| reservation.is_ok())
                .count(),
            4
        );
    }

    #[test]
    fn pools_are_bounded() {
        let ledger = Quota::new(&InstanceTotals::default()).mapped;
        let held: Vec<_> = (0..=MAPPED.count).map(|_| ledger.reserve(1)).collect();
        assert_eq!(
            held.iter()
                .filter(|reservation| reservation.is_err())
                .count(),
            1
        );
    }
}
