//! What memory a client, and all clients of the lens together, may make the compositor map.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use thiserror::Error;

const POOLS_PER_CLIENT: u32 = 512;
const BYTES_PER_CLIENT: u64 = 1 << 30;
const BYTES_PER_INSTANCE: u64 = 4 << 30;

#[derive(Debug, Error, PartialEq, Eq)]
pub enum QuotaError {
    #[error("more than {POOLS_PER_CLIENT} shared memory pools")]
    Pools,
    #[error("more than {BYTES_PER_CLIENT} bytes of shared memory in one client, or {BYTES_PER_INSTANCE} in all")]
    Bytes,
}

#[derive(Debug, Default)]
pub struct Quota {
    pools: Cell<u32>,
    bytes: Cell<u64>,
    instance_bytes: Arc<AtomicU64>,
}

impl Quota {
    pub fn new(instance_bytes: Arc<AtomicU64>) -> Rc<Self> {
        Rc::new(Self { instance_bytes, ..Self::default() })
    }

    pub fn reserve(self: &Rc<Self>, bytes: u64) -> Result<Reservation, QuotaError> {
        if self.pools.get() >= POOLS_PER_CLIENT {
            return Err(QuotaError::Pools);
        }
        self.take(bytes)?;
        self.pools.set(self.pools.get() + 1);
        Ok(Reservation { quota: self.clone(), bytes: Cell::new(bytes) })
    }

    fn take(&self, bytes: u64) -> Result<(), QuotaError> {
        let mine = self.bytes.get().checked_add(bytes).filter(|sum| *sum <= BYTES_PER_CLIENT).ok_or(QuotaError::Bytes)?;
        let within = |all: u64| all.checked_add(bytes).filter(|sum| *sum <= BYTES_PER_INSTANCE);
        self.instance_bytes.fetch_update(Relaxed, Relaxed, within).map_err(|_| QuotaError::Bytes)?;
        self.bytes.set(mine);
        Ok(())
    }
}

/// The bytes of one pool; given back on drop.
#[derive(Debug)]
pub struct Reservation {
    quota: Rc<Quota>,
    bytes: Cell<u64>,
}

impl Reservation {
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    pub fn grow(&self, bytes: u64) -> Result<(), QuotaError> {
        self.quota.take(bytes.saturating_sub(self.bytes.get()))?;
        self.bytes.set(bytes.max(self.bytes.get()));
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let bytes = self.bytes.get();
        self.quota.pools.set(self.quota.pools.get() - 1);
        self.quota.bytes.set(self.quota.bytes.get() - bytes);
        self.quota.instance_bytes.fetch_sub(bytes, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_bounded_a_client_and_given_back() {
        let quota = Quota::new(Arc::default());
        let first = quota.reserve(BYTES_PER_CLIENT - 1).expect("fits");
        assert_eq!(quota.reserve(2).expect_err("too much"), QuotaError::Bytes);
        assert_eq!(first.grow(BYTES_PER_CLIENT + 1), Err(QuotaError::Bytes));
        assert_eq!(first.grow(BYTES_PER_CLIENT), Ok(()));
        drop(first);
        assert!(quota.reserve(BYTES_PER_CLIENT).is_ok());
        assert_eq!(quota.instance_bytes.load(Relaxed), 0);
    }

    #[test]
    fn bytes_are_bounded_over_all_clients() {
        let all = Arc::new(AtomicU64::new(0));
        let clients: Vec<_> = (0..5).map(|_| Quota::new(all.clone())).collect();
        let held: Vec<_> = clients.iter().map(|client| client.reserve(BYTES_PER_CLIENT)).collect();
        assert_eq!(held.iter().filter(|reservation| reservation.is_ok()).count(), 4);
    }

    #[test]
    fn pools_are_bounded() {
        let quota = Quota::new(Arc::default());
        let held: Vec<_> = (0..=POOLS_PER_CLIENT).map(|_| quota.reserve(1)).collect();
        assert_eq!(held.iter().filter(|reservation| reservation.is_err()).count(), 1);
    }
}
