//! How much a client, and all clients of the lens together, may make the compositor map: how often, how far and how much memory.

use std::{
    cell::{Cell, RefCell},
    os::fd::OwnedFd,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

use rustix::fs::fstat;

use super::holdings::{Change, FileId, Holdings, LimitError, Limits};

const GIB: u64 = 1 << 30;
/// Of one client. Clients make sparse pools far larger than what they draw (foot: 512 MiB each).
const CLIENT: Limits = Limits {
    mappings: 512,
    length: 512 * GIB,
    memory: 8 * GIB,
};
/// Of all clients together. A session has a few pools a window. 2,048 are a thirty-second part of the mappings that a compositor
/// may have, and with a GiB each, the whole memory of a device, a sixty-fourth part of its address space of 128 TiB.
const INSTANCE: Limits = Limits {
    mappings: 2_048,
    length: 2_048 * GIB,
    memory: 64 * GIB,
};

/// What all clients hold.
#[derive(Debug)]
pub struct InstanceTotals(Mutex<Holdings>);

impl Default for InstanceTotals {
    fn default() -> Self {
        Self(Mutex::new(Holdings::new(INSTANCE)))
    }
}

impl InstanceTotals {
    fn with<T>(&self, act: impl FnOnce(&mut Holdings) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What one client holds.
#[derive(Debug)]
pub struct Quota {
    own: RefCell<Holdings>,
    totals: Arc<InstanceTotals>,
}

impl Quota {
    pub fn new(totals: &Arc<InstanceTotals>) -> Rc<Self> {
        Rc::new(Self {
            own: RefCell::new(Holdings::new(CLIENT)),
            totals: totals.clone(),
        })
    }

    pub fn reserve(self: &Rc<Self>, file: &OwnedFd, bytes: u64) -> Result<Reservation, LimitError> {
        // A file that can't be looked at was refused before.
        let file = fstat(file).map_or((0, 0), |info| (info.st_dev, info.st_ino));
        self.change(&Change {
            file,
            mappings: 1,
            longer: bytes,
            end: bytes,
        })?;
        Ok(Reservation {
            quota: self.clone(),
            file,
            bytes: Cell::new(bytes),
            shown: Cell::default(),
        })
    }

    fn change(&self, change: &Change) -> Result<(), LimitError> {
        let mut own = self.own.borrow_mut();
        own.check(change)?;
        self.totals.with(|all| {
            all.check(change)?;
            all.make(change);
            Ok(())
        })?;
        own.make(change);
        Ok(())
    }
}

/// One mapping, of a pool, its buffers and the surfaces that may show it; given back on drop.
#[derive(Debug)]
pub struct Reservation {
    quota: Rc<Quota>,
    file: FileId,
    bytes: Cell<u64>,
    /// How often more it was attached to a surface than released. Each release follows an attachment of its own, and some have
    /// none: this may be too much, but is never too little.
    shown: Cell<u64>,
}

impl Reservation {
    pub fn show(&self) {
        self.shown.set(self.shown.get() + 1);
    }

    pub fn release(&self) {
        self.shown.set(self.shown.get().saturating_sub(1));
    }

    /// Whether the compositor may read it for a surface.
    pub fn is_shown(&self) -> bool {
        self.shown.get() > 0
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    pub fn grow(&self, bytes: u64) -> Result<(), LimitError> {
        self.quota.change(&Change {
            file: self.file,
            mappings: 0,
            longer: bytes.saturating_sub(self.bytes.get()),
            end: bytes,
        })?;
        self.bytes.set(bytes.max(self.bytes.get()));
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let (file, bytes) = (self.file, self.bytes.get());
        self.quota.own.borrow_mut().give(file, bytes);
        self.quota.totals.with(|all| all.give(file, bytes));
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{MemfdFlags, memfd_create};

    use super::*;

    type Reserved = Vec<Result<Reservation, LimitError>>;

    fn file() -> OwnedFd {
        memfd_create("test", MemfdFlags::CLOEXEC).expect("memfd")
    }

    /// Mappings, their length and the memory behind them.
    fn held(totals: &InstanceTotals) -> (u32, u64, u64) {
        totals.with(|all| all.held())
    }

    fn count(reserved: &Reserved) -> u32 {
        reserved.iter().filter(|it| it.is_ok()).count() as u32
    }

    fn clients(totals: &Arc<InstanceTotals>) -> Vec<Rc<Quota>> {
        (0..64).map(|_| Quota::new(totals)).collect()
    }

    #[test]
    fn memory_is_bounded_a_client_and_given_back() {
        let totals = Arc::default();
        let quota = Quota::new(&totals);
        let first = quota.reserve(&file(), CLIENT.memory - 1).expect("fits");
        let refused = LimitError::Memory(CLIENT.memory);
        assert_eq!(quota.reserve(&file(), 2).err(), Some(refused));
        assert!(first.grow(CLIENT.memory + 1).is_err());
        assert_eq!(first.grow(CLIENT.memory), Ok(()));
        drop(first);
        assert!(quota.reserve(&file(), CLIENT.memory).is_ok());
        assert_eq!(held(&totals), (0, 0, 0));
    }

    #[test]
    fn memory_is_bounded_over_all_clients() {
        let totals = Arc::default();
        let clients = clients(&totals);
        let held: Reserved = clients[..9]
            .iter()
            .map(|client| client.reserve(&file(), CLIENT.memory))
            .collect();
        assert_eq!(count(&held), 8);
        drop(held);
        assert_eq!(self::held(&totals), (0, 0, 0));
        assert!(clients[8].reserve(&file(), CLIENT.memory).is_ok());
    }

    #[test]
    fn pools_of_one_file_are_the_same_memory_and_a_mapping_each() {
        let totals = Arc::default();
        let window = file();
        let held: Reserved = clients(&totals)
            .iter()
            .flat_map(|client| (1..=32).map(|part| client.reserve(&window, part * (GIB / 32))))
            .collect();
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(self::held(&totals), (2_048, 64 * 33 * (GIB / 2), GIB));
        drop(held);
        assert_eq!(self::held(&totals), (0, 0, 0));
    }

    #[test]
    fn mappings_of_one_file_are_bounded_a_client() {
        let quota = Quota::new(&Arc::default());
        let window = file();
        let held: Reserved = (0..=CLIENT.mappings)
            .map(|_| quota.reserve(&window, 1))
            .collect();
        let refused: Vec<_> = held.into_iter().filter_map(Result::err).collect();
        assert_eq!(refused, [LimitError::Mappings(CLIENT.mappings)]);
    }

    #[test]
    fn mappings_of_one_file_are_bounded_over_all_clients() {
        let totals = Arc::default();
        let window = file();
        let clients = clients(&totals);
        let reserve = |quota: &Rc<Quota>| quota.reserve(&window, GIB);
        let mut held: Reserved = clients
            .iter()
            .flat_map(|client| (0..CLIENT.mappings).map(|_| reserve(client)))
            .collect();
        assert_eq!(count(&held), INSTANCE.mappings);
        assert_eq!(
            self::held(&totals),
            (INSTANCE.mappings, INSTANCE.length, GIB)
        );
        let refused = LimitError::Mappings(INSTANCE.mappings);
        assert_eq!(reserve(&clients[63]).err(), Some(refused));
        drop(held.remove(0));
        assert!(reserve(&clients[63]).is_ok());
    }

    #[test]
    fn the_length_of_all_mappings_is_bounded() {
        let totals = Arc::default();
        let window = file();
        let clients = clients(&totals);
        let longest = 2 * GIB;
        let held: Reserved = clients
            .iter()
            .flat_map(|client| (0..CLIENT.mappings).map(|_| client.reserve(&window, longest)))
            .collect();
        let each = (CLIENT.length / longest) as usize;
        assert!(held[..each].iter().all(Result::is_ok));
        let refused = LimitError::Length(CLIENT.length);
        assert_eq!(held[each].as_ref().err(), Some(&refused));
        assert_eq!(count(&held), (INSTANCE.length / longest) as u32);
        let last = held.into_iter().flatten().next().expect("held");
        let refused = LimitError::Memory(CLIENT.memory);
        assert_eq!(last.grow(CLIENT.memory + 1).err(), Some(refused));
    }
}
