//! Memory that the compositor can map without risk: a file that can't shrink under it.

use std::{
    fs::File,
    io,
    ops::Range,
    os::{fd::OwnedFd, unix::fs::FileExt},
    rc::Rc,
};

use rustix::fs::{
    FallocateFlags, FileType, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, fcntl_get_seals,
    fstat, fstatfs, ftruncate, memfd_create,
};
use thiserror::Error;

const TMPFS_MAGIC: i128 = 0x0102_1994;
const PAGE_BYTES: u64 = 4096;
const COPY_BYTES: usize = 256 << 10;

#[derive(Debug, Error)]
pub enum MemoryError {
    #[error("the pool's descriptor is not a file of at least {0} bytes")]
    TooSmall(u64),
    #[error("the pool's file can't be read where a buffer lies")]
    Read(#[source] io::Error),
    #[error("no memory for the compositor's copy of a pool")]
    Own(#[source] io::Error),
}

#[derive(Debug)]
pub enum Memory {
    /// The client's own file, sealed against shrinking.
    Sealed(Rc<OwnedFd>),
    /// The client's file, and the lens's sealed copy of it that the compositor gets.
    Mirror { source: File, own: File },
}

impl Memory {
    pub fn adopt(fd: &Rc<OwnedFd>, bytes: u64) -> Result<Self, MemoryError> {
        // The seal comes before the look at the size: afterwards the size can only grow.
        if seal(fd) {
            check_size(fd, bytes)?;
            return Ok(Self::Sealed(fd.clone()));
        }
        check_size(fd, bytes)?;
        Self::mirror(fd, bytes).map_err(MemoryError::Own)
    }

    fn mirror(fd: &Rc<OwnedFd>, bytes: u64) -> io::Result<Self> {
        let own = memfd_create(
            "cloche-lens",
            MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
        )?;
        ftruncate(&own, bytes)?;
        fcntl_add_seals(&own, SealFlags::SHRINK)?;
        Ok(Self::Mirror {
            source: File::from(fd.try_clone()?),
            own: File::from(own),
        })
    }

    pub fn is_copied(&self) -> bool {
        matches!(self, Self::Mirror { .. })
    }

    /// A descriptor to hand to the compositor.
    pub fn for_compositor(&self) -> Result<Rc<OwnedFd>, MemoryError> {
        match self {
            Self::Sealed(fd) => Ok(fd.clone()),
            Self::Mirror { own, .. } => {
                Ok(Rc::new(own.try_clone().map_err(MemoryError::Own)?.into()))
            }
        }
    }

    pub fn grow(&self, bytes: u64) -> Result<(), MemoryError> {
        match self {
            Self::Sealed(fd) => check_size(fd, bytes),
            Self::Mirror { source, own } => {
                check_size(source, bytes)?;
                ftruncate(own, bytes).map_err(|error| MemoryError::Own(error.into()))
            }
        }
    }

    /// Gives back copied bytes that no buffer uses any more, whole pages only.
    pub fn forget(&self, bytes: &Range<u64>) {
        let start = bytes.start.next_multiple_of(PAGE_BYTES);
        let length = (bytes.end / PAGE_BYTES * PAGE_BYTES).saturating_sub(start);
        if let Self::Mirror { own, .. } = self
            && length > 0
        {
            let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            if let Err(error) = fallocate(own, punch, start, length) {
                log::warn!("can't give back copied memory: {error}");
            }
        }
    }

    /// Makes the compositor's bytes equal to the client's. The client's file is read, never mapped: it may shrink at any moment.
    pub fn copy(&self, bytes: Range<u64>) -> Result<(), MemoryError> {
        let Self::Mirror { source, own } = self else {
            return Ok(());
        };
        let longest = usize::try_from(bytes.end - bytes.start).unwrap_or(COPY_BYTES);
        let mut buffer = vec![0; longest.min(COPY_BYTES)];
        let mut at = bytes.start;
        while at < bytes.end {
            let left = usize::try_from(bytes.end - at).unwrap_or(COPY_BYTES);
            let chunk = &mut buffer[..left.min(COPY_BYTES)];
            source.read_exact_at(chunk, at).map_err(MemoryError::Read)?;
            own.write_all_at(chunk, at).map_err(MemoryError::Own)?;
            at += chunk.len() as u64;
        }
        Ok(())
    }
}

/// Whether the file is now sealed against shrinking. Only plain memfds: holes in hugetlbfs ones can fault as a shrunk file does.
fn seal(fd: &OwnedFd) -> bool {
    let is_tmpfs = fstatfs(fd).is_ok_and(|info| i128::from(info.f_type) == TMPFS_MAGIC);
    is_tmpfs
        && (fcntl_add_seals(fd, SealFlags::SHRINK).is_ok()
            || fcntl_get_seals(fd).is_ok_and(|seals| seals.contains(SealFlags::SHRINK)))
}

fn check_size(fd: impl std::os::fd::AsFd, bytes: u64) -> Result<(), MemoryError> {
    let info = fstat(fd).map_err(|_| MemoryError::TooSmall(bytes))?;
    let is_file = FileType::from_raw_mode(info.st_mode) == FileType::RegularFile;
    match u64::try_from(info.st_size) {
        Ok(size) if is_file && size >= bytes => Ok(()),
        _ => Err(MemoryError::TooSmall(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memfd(flags: MemfdFlags, content: &[u8]) -> Rc<OwnedFd> {
        let fd = memfd_create("test", flags | MemfdFlags::CLOEXEC).expect("memfd");
        File::from(fd.try_clone().expect("clone"))
            .write_all_at(content, 0)
            .expect("content");
        Rc::new(fd)
    }

    #[test]
    fn a_sealable_memfd_is_sealed_and_passed_on() {
        let fd = memfd(MemfdFlags::ALLOW_SEALING, &[1; 100]);
        let memory = Memory::adopt(&fd, 100).expect("adopted");
        assert!(matches!(memory, Memory::Sealed(_)));
        assert!(ftruncate(&fd, 10).is_err());
        assert!(memory.grow(200).is_err());
        ftruncate(&fd, 200).expect("may still grow");
        assert!(memory.grow(200).is_ok());
    }

    #[test]
    fn any_other_file_is_copied_into_sealed_memory() {
        let fd = memfd(MemfdFlags::empty(), &[7; 100]);
        let memory = Memory::adopt(&fd, 100).expect("adopted");
        memory.copy(10..20).expect("copied");
        assert!(ftruncate(memory.for_compositor().expect("descriptor"), 10).is_err());
        let mut shown = [0; 30];
        let seen = File::from(
            memory
                .for_compositor()
                .expect("descriptor")
                .try_clone()
                .expect("clone"),
        );
        seen.read_exact_at(&mut shown, 0).expect("read");
        assert_eq!((shown[9], shown[10], shown[19], shown[20]), (0, 7, 7, 0));
    }

    #[test]
    fn a_file_shrunk_after_adoption_ends_the_copy_and_not_the_lens() {
        let fd = memfd(MemfdFlags::empty(), &[7; 100]);
        let memory = Memory::adopt(&fd, 100).expect("adopted");
        ftruncate(&fd, 10).expect("shrunk");
        assert!(matches!(memory.copy(0..100), Err(MemoryError::Read(_))));
    }

    #[test]
    fn forgotten_bytes_take_no_memory() {
        let memory =
            Memory::adopt(&memfd(MemfdFlags::empty(), &[7; 20_000]), 20_000).expect("adopted");
        let blocks = || {
            fstat(memory.for_compositor().expect("descriptor"))
                .expect("stat")
                .st_blocks
        };
        memory.copy(0..20_000).expect("copied");
        let before = blocks();
        memory.forget(&(1..13_000));
        assert_eq!(before - blocks(), 2 * 4096 / 512);
    }

    #[test]
    fn a_file_smaller_than_its_pool_and_what_is_no_file_are_refused() {
        assert!(Memory::adopt(&memfd(MemfdFlags::ALLOW_SEALING, &[1; 10]), 11).is_err());
        assert!(Memory::adopt(&memfd(MemfdFlags::empty(), &[1; 10]), 11).is_err());
        let (pipe, _writer) = rustix::pipe::pipe().expect("pipe");
        assert!(Memory::adopt(&Rc::new(pipe), 1).is_err());
        let directory = File::open("/").expect("directory");
        assert!(Memory::adopt(&Rc::new(directory.into()), 1).is_err());
    }
}
