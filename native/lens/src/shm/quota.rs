//! How much memory a client, and all clients of the lens together, may make the compositor map.
//!
//! Counted by file: pools of one file are views of the same memory, and a guest whose device has all of its memory in one file
//! has a pool in it for every picture of every program.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    os::fd::OwnedFd,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

use rustix::fs::fstat;
use thiserror::Error;

const GIB: u64 = 1 << 30;
/// Pools of one client.
const POOLS: u32 = 512;
/// Address space: clients make sparse pools far larger than what they draw (foot: 512 MiB each).
const CLIENT_BYTES: u64 = 8 * GIB;
const INSTANCE_BYTES: u64 = 64 * GIB;

#[derive(Debug, Error, PartialEq, Eq)]
pub enum QuotaError {
    #[error("more than {POOLS} shared memory pools")]
    Count,
    #[error(
        "more than {CLIENT_BYTES} bytes of shared memory in one client, or {INSTANCE_BYTES} in all"
    )]
    Bytes,
}

/// Device and inode.
type FileId = (u64, u64);

/// The files that pools are views of.
#[derive(Debug, Default)]
struct Files {
    held: BTreeMap<FileId, Held>,
    bytes: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Held {
    pools: u32,
    /// Of the longest pool there was since the first of those that there are.
    bytes: u64,
}

impl Files {
    /// Takes so many pools of a file, up to so many of its bytes.
    fn take(&mut self, file: FileId, pools: u32, bytes: u64, most: u64) -> Result<(), QuotaError> {
        let held = self.held.get(&file).copied().unwrap_or_default();
        let new = bytes.saturating_sub(held.bytes);
        let all = self.bytes.checked_add(new).filter(|all| *all <= most);
        self.bytes = all.ok_or(QuotaError::Bytes)?;
        self.held.insert(
            file,
            Held {
                pools: held.pools + pools,
                bytes: held.bytes + new,
            },
        );
        Ok(())
    }

    /// Gives one pool of a file back.
    fn give(&mut self, file: FileId) {
        let Some(held) = self.held.get_mut(&file) else {
            return;
        };
        held.pools = held.pools.saturating_sub(1);
        if held.pools == 0 {
            self.bytes -= held.bytes;
            self.held.remove(&file);
        }
    }
}

/// What all clients hold.
#[derive(Debug, Default)]
pub struct InstanceTotals(Mutex<Files>);

impl InstanceTotals {
    fn change<T>(&self, change: impl FnOnce(&mut Files) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What one client holds.
#[derive(Debug)]
pub struct Quota {
    pools: Cell<u32>,
    files: RefCell<Files>,
    totals: Arc<InstanceTotals>,
}

impl Quota {
    pub fn new(totals: &Arc<InstanceTotals>) -> Rc<Self> {
        Rc::new(Self {
            pools: Cell::default(),
            files: RefCell::default(),
            totals: totals.clone(),
        })
    }

    pub fn reserve(self: &Rc<Self>, file: &OwnedFd, bytes: u64) -> Result<Reservation, QuotaError> {
        if self.pools.get() >= POOLS {
            return Err(QuotaError::Count);
        }
        // A file that can't be looked at was refused before.
        let file = fstat(file).map_or((0, 0), |info| (info.st_dev, info.st_ino));
        self.take(file, 1, bytes)?;
        self.pools.set(self.pools.get() + 1);
        Ok(Reservation {
            quota: self.clone(),
            file,
            bytes: Cell::new(bytes),
        })
    }

    fn take(&self, file: FileId, pools: u32, bytes: u64) -> Result<(), QuotaError> {
        let mut files = self.files.borrow_mut();
        let before = files.held.get(&file).copied();
        let bytes_before = files.bytes;
        files.take(file, pools, bytes, CLIENT_BYTES)?;
        self.totals
            .change(|all| all.take(file, pools, bytes, INSTANCE_BYTES))
            .inspect_err(|_| {
                files.bytes = bytes_before;
                match before {
                    Some(held) => files.held.insert(file, held),
                    None => files.held.remove(&file),
                };
            })
    }
}

/// One pool; given back on drop.
#[derive(Debug)]
pub struct Reservation {
    quota: Rc<Quota>,
    file: FileId,
    bytes: Cell<u64>,
}

impl Reservation {
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    pub fn grow(&self, bytes: u64) -> Result<(), QuotaError> {
        self.quota.take(self.file, 0, bytes)?;
        self.bytes.set(bytes.max(self.bytes.get()));
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.quota.pools.set(self.quota.pools.get() - 1);
        self.quota.files.borrow_mut().give(self.file);
        self.quota.totals.change(|all| all.give(self.file));
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{MemfdFlags, memfd_create};

    use super::*;

    fn file() -> OwnedFd {
        memfd_create("test", MemfdFlags::CLOEXEC).expect("memfd")
    }

    fn held(totals: &InstanceTotals) -> u64 {
        totals.change(|all| all.bytes)
    }

    #[test]
    fn bytes_are_bounded_a_client_and_given_back() {
        let totals = Arc::default();
        let quota = Quota::new(&totals);
        let first = quota.reserve(&file(), CLIENT_BYTES - 1).expect("fits");
        assert!(matches!(quota.reserve(&file(), 2), Err(QuotaError::Bytes)));
        assert!(first.grow(CLIENT_BYTES + 1).is_err());
        assert_eq!(first.grow(CLIENT_BYTES), Ok(()));
        drop(first);
        assert!(quota.reserve(&file(), CLIENT_BYTES).is_ok());
        assert_eq!(held(&totals), 0);
    }

    #[test]
    fn bytes_are_bounded_over_all_clients() {
        let totals = Arc::default();
        let clients: Vec<_> = (0..9).map(|_| Quota::new(&totals)).collect();
        let held: Vec<_> = clients
            .iter()
            .map(|client| client.reserve(&file(), CLIENT_BYTES))
            .collect();
        assert_eq!(held.iter().filter(|it| it.is_ok()).count(), 8);
        drop(held);
        assert_eq!(self::held(&totals), 0);
        let refused = &clients[8];
        assert!(refused.reserve(&file(), CLIENT_BYTES).is_ok());
    }

    #[test]
    fn pools_of_one_file_are_the_same_memory() {
        let totals = Arc::default();
        let window = file();
        let clients: Vec<_> = (0..64).map(|_| Quota::new(&totals)).collect();
        let held: Vec<_> = clients
            .iter()
            .flat_map(|client| (1..100).map(|part| client.reserve(&window, part * (GIB / 100))))
            .collect();
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(self::held(&totals), 99 * (GIB / 100));
        drop(held);
        assert_eq!(self::held(&totals), 0);
    }

    #[test]
    fn pools_are_bounded() {
        let quota = Quota::new(&Arc::default());
        let window = file();
        let held: Vec<_> = (0..=POOLS).map(|_| quota.reserve(&window, 1)).collect();
        assert_eq!(held.iter().filter(|it| it.is_err()).count(), 1);
    }
}
