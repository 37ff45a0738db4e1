//! Pools of files that shrink, grow, overlap and are no files.

use proptest::prelude::*;
use rustix::fs::{MemfdFlags, fstat, ftruncate, memfd_create};
use wl_proxy::protocols::wayland::wl_shm::WlShmFormat;

use super::*;

const KINDS: [MemfdFlags; 2] = [MemfdFlags::ALLOW_SEALING, MemfdFlags::empty()];

fn made(flags: MemfdFlags, content: &[u8]) -> Rc<OwnedFd> {
    let fd = memfd_create("test", flags | MemfdFlags::CLOEXEC).expect("memfd");
    File::from(fd.try_clone().expect("clone"))
        .write_all_at(content, 0)
        .expect("content");
    Rc::new(fd)
}

fn target(bytes: usize) -> Mapping {
    let fd = made(MemfdFlags::empty(), &vec![0; bytes]);
    Mapping::new(&*fd, 0, bytes, Access::ReadWrite).expect("mapping")
}

fn content(mapping: &Mapping) -> Vec<u8> {
    let mut bytes = vec![0; mapping.bytes()];
    mapping.read(0, &mut bytes).expect("inside");
    bytes
}

fn geometry(pool: &Pool, shape: (i32, i32, i32, i32)) -> Geometry {
    Geometry::check(pool.bytes() as u64, shape, WlShmFormat::ARGB8888).expect("inside")
}

#[test]
fn a_file_that_shrinks_ends_the_copy_or_can_not_shrink() {
    for flags in KINDS {
        let fd = made(flags, &[7; 8192]);
        let pool = Pool::new(&fd, 8192).expect("pool");
        let geometry = geometry(&pool, (4096, 16, 16, 64));
        let shrunk = ftruncate(&fd, 0);
        assert_eq!(shrunk.is_err(), flags == MemfdFlags::ALLOW_SEALING);
        let copied = pool.copy(&geometry, bounds(&geometry.shape), &target(1024));
        assert_eq!(copied.is_ok(), shrunk.is_err());
    }
}

#[test]
fn a_pool_grows_with_its_file_and_not_beyond() {
    for flags in KINDS {
        let fd = made(flags, &[7; 4096]);
        let pool = Pool::new(&fd, 4096).expect("pool");
        assert!(pool.grow(8192).is_err() && pool.grow(100).is_err() && pool.grow(-1).is_err());
        ftruncate(&fd, 8192).expect("grown");
        pool.grow(8192).expect("grown");
        let geometry = geometry(&pool, (4096, 32, 32, 128));
        let copied = pool.copy(&geometry, bounds(&geometry.shape), &target(4096));
        assert_eq!(copied.ok(), Some(4096));
    }
}

#[test]
fn a_file_smaller_than_its_pool_and_what_is_no_file_are_refused() {
    for flags in KINDS {
        for size in [11, 0, -1, i32::MIN] {
            assert!(Pool::new(&made(flags, &[1; 10]), size).is_err(), "{size}");
        }
    }
    let (pipe, _writer) = rustix::pipe::pipe().expect("pipe");
    assert!(Pool::new(&Rc::new(pipe), 1).is_err());
    let directory = File::open("/").expect("directory");
    assert!(Pool::new(&Rc::new(directory.into()), 1).is_err());
}

#[test]
fn a_large_pool_of_which_little_is_used_takes_no_memory() {
    let fd = memfd_create("large", MemfdFlags::ALLOW_SEALING).expect("memfd");
    ftruncate(&fd, 512 << 20).expect("size");
    let fd = Rc::new(fd);
    let pool = Pool::new(&fd, 512 << 20).expect("pool");
    let geometry = geometry(&pool, (256 << 20, 16, 16, 64));
    let copied = pool.copy(&geometry, bounds(&geometry.shape), &target(1024));
    assert_eq!(copied.ok(), Some(1024));
    let blocks = fstat(&*fd).expect("stat").st_blocks;
    assert!(blocks * 512 <= 2 << 20, "{blocks} blocks");
}

proptest! {
    #[test]
    fn exactly_the_rectangle_is_copied(
        size in (1i32..20, 1i32..20),
        padding in 0i32..9,
        offset in 0i32..50,
        rectangle in (-3i32..20, -3i32..20, 1i32..20, 1i32..20),
    ) {
        let (width, height) = size;
        let stride = width * 4 + padding * 4;
        let bytes = (offset + stride * height) as usize;
        let source: Vec<u8> = (0..bytes).map(|at| (at % 250) as u8 + 1).collect();
        let rectangle = Rectangle::new(rectangle.0, rectangle.1, rectangle.2, rectangle.3).expect("not empty");
        for flags in KINDS {
            let pool = Pool::new(&made(flags, &source), bytes as i32).expect("pool");
            let geometry = geometry(&pool, (offset, width, height, stride));
            let shape = geometry.shape;
            let target = target(shape.bytes());
            let copied = pool.copy(&geometry, rectangle, &target).expect("copied");
            let inside = rectangle.intersect(bounds(&shape));
            let area = inside.map_or(0, |it| (it.right - it.left) as u64 * (it.bottom - it.top) as u64);
            // Where rows are copied in one piece, what fills them up may come along: none here is wider than its row.
            prop_assert_eq!(copied, area * 4);
            let shown = content(&target);
            for (x, y) in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
                let is_inside = inside.is_some_and(|it| (it.left..it.right).contains(&x) && (it.top..it.bottom).contains(&y));
                let from = (offset + y * stride + x * 4) as usize;
                let to = y as usize * shape.stride() + x as usize * 4;
                let wanted = if is_inside { &source[from..from + 4] } else { &[0; 4][..] };
                prop_assert_eq!(&shown[to..to + 4], wanted);
            }
        }
    }
}
