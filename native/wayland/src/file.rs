//! Files that others made and may change: whether they hold what they should, and whether they can't shrink any more.

use std::os::fd::AsFd;

use rustix::fs::{FileType, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, fstatfs};

const TMPFS_MAGIC: i128 = 0x0102_1994;

/// Whether the file is now sealed against shrinking. Only plain memfds: holes in hugetlbfs ones can fault as a shrunk file does.
pub fn seal(fd: impl AsFd) -> bool {
    let is_tmpfs = fstatfs(&fd).is_ok_and(|info| i128::from(info.f_type) == TMPFS_MAGIC);
    is_tmpfs
        && (fcntl_add_seals(&fd, SealFlags::SHRINK).is_ok()
            || fcntl_get_seals(&fd).is_ok_and(|seals| seals.contains(SealFlags::SHRINK)))
}

/// Whether it is a regular file of at least so many bytes.
pub fn holds(fd: impl AsFd, bytes: u64) -> bool {
    fstat(fd).is_ok_and(|info| {
        FileType::from_raw_mode(info.st_mode) == FileType::RegularFile
            && u64::try_from(info.st_size).is_ok_and(|size| size >= bytes)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

    use super::*;

    #[test]
    fn a_memfd_is_sealed_where_it_can_be() {
        let file = |flags| memfd_create("test", flags | MemfdFlags::CLOEXEC).expect("memfd");
        let sealable = file(MemfdFlags::ALLOW_SEALING);
        ftruncate(&sealable, 100).expect("size");
        assert!(seal(&sealable) && seal(&sealable));
        assert!(ftruncate(&sealable, 10).is_err());
        ftruncate(&sealable, 200).expect("may still grow");
        assert!(!seal(file(MemfdFlags::empty())));
        assert!(!seal(File::open("/").expect("directory")));
    }

    #[test]
    fn seals_that_nobody_may_add_to_count() {
        let file = memfd_create("test", MemfdFlags::ALLOW_SEALING).expect("memfd");
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::SEAL).expect("sealed");
        assert!(seal(&file));
        let file = memfd_create("test", MemfdFlags::ALLOW_SEALING).expect("memfd");
        fcntl_add_seals(&file, SealFlags::SEAL).expect("sealed");
        assert!(!seal(&file));
    }

    #[test]
    fn what_is_shorter_or_no_file_does_not_hold() {
        let file = memfd_create("test", MemfdFlags::CLOEXEC).expect("memfd");
        ftruncate(&file, 100).expect("size");
        assert!(holds(&file, 100) && !holds(&file, 101));
        let (pipe, _writer) = std::io::pipe().expect("pipe");
        assert!(!holds(pipe, 0) && !holds(File::open("/").expect("directory"), 0));
    }
}
