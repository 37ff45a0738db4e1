//! Serves one monitor over vfio-user, from its connection to its end.

use std::{
    fs, io,
    os::{fd::AsRawFd, unix::net::UnixListener},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use thiserror::Error;
use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_INFO_EVENTFD, VFIO_IRQ_INFO_NORESIZE, VFIO_PCI_BAR0_REGION_INDEX,
    VFIO_PCI_BAR2_REGION_INDEX, VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_MSIX_IRQ_INDEX,
    VFIO_PCI_NUM_IRQS, VFIO_PCI_NUM_REGIONS, VFIO_REGION_INFO_FLAG_MMAP,
    VFIO_REGION_INFO_FLAG_READ, VFIO_REGION_INFO_FLAG_WRITE, vfio_region_info,
    vfio_region_sparse_mmap_area,
};
use vfio_user::{IrqInfo, Server, ServerRegion, SparseArea};

use crate::{
    device::{Device, Shared},
    pci::{CONFIG_BYTES, REGISTERS_BYTES, VECTORS},
    queue::QueueError,
    wait::Waiter,
    window::Window,
};

#[derive(Debug, Error)]
pub enum ServeError {
    #[error("can't make the window's memory")]
    Window(#[source] io::Error),
    #[error("can't wait for sockets")]
    Wait(#[source] io::Error),
    #[error("can't listen at {0}")]
    Listen(PathBuf, #[source] io::Error),
    #[error("can't make the queues")]
    Queue(#[from] QueueError),
    #[error("the monitor's connection failed")]
    Monitor(#[from] vfio_user::Error),
}

/// Returns when the monitor has closed its connection.
pub fn serve(listen: &Path, wayland: &Path, window_bytes: u64) -> Result<(), ServeError> {
    let window = Window::new(window_bytes).map_err(ServeError::Window)?;
    let regions = (0..VFIO_PCI_NUM_REGIONS)
        .map(|index| region(index, &window))
        .collect();
    let waiter = Arc::new(Waiter::new().map_err(ServeError::Wait)?);
    let device = Device::new(window, wayland.to_owned(), waiter.clone())?;
    let mut device = Shared::new(device);
    let listener = bind(listen).map_err(|error| ServeError::Listen(listen.to_owned(), error))?;
    let server = Server::from_owned_fd(listener.into(), true, interrupts(), regions);
    let waiting = device.clone();
    thread::Builder::new()
        .name("channels".into())
        .spawn(move || wait(&waiter, &waiting))
        .map_err(ServeError::Wait)?;
    let outcome = server.run(&mut device);
    let _ = fs::remove_file(listen);
    match outcome {
        Err(error) if is_gone(&error) => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// Whether the monitor is gone. One that is killed may leave messages behind, which resets the connection.
fn is_gone(error: &vfio_user::Error) -> bool {
    use vfio_user::Error::{ReceiveWithFd, StreamRead, StreamWrite};
    let kind = match error {
        StreamRead(error) | StreamWrite(error) => error.kind(),
        ReceiveWithFd(error) => io::Error::from_raw_os_error(error.errno()).kind(),
        _ => return false,
    };
    matches!(
        kind,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof
    )
}

/// The socket gets its name when it listens: who sees the name can connect.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let mut unready = path.as_os_str().to_owned();
    unready.push(".new");
    let listener = UnixListener::bind(&unready)?;
    fs::rename(&unready, path)?;
    Ok(listener)
}

fn wait(waiter: &Waiter, device: &Shared) {
    let mut ready = Vec::new();
    loop {
        ready.clear();
        if let Err(error) = waiter.wait(&mut ready) {
            log::error!("can't wait for sockets: {error}");
            return;
        }
        device.lock().go_on(&ready);
    }
}

fn region(index: u32, window: &Window) -> ServerRegion {
    let access = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    let (flags, size) = match index {
        VFIO_PCI_BAR0_REGION_INDEX => (access, REGISTERS_BYTES),
        VFIO_PCI_BAR2_REGION_INDEX => (access | VFIO_REGION_INFO_FLAG_MMAP, window.bytes()),
        VFIO_PCI_CONFIG_REGION_INDEX => (access, CONFIG_BYTES),
        _ => (0, 0),
    };
    let is_window = index == VFIO_PCI_BAR2_REGION_INDEX;
    // A descriptor is handed over with areas only: one that covers everything.
    let area = vfio_region_sparse_mmap_area { offset: 0, size };
    ServerRegion {
        region_info: vfio_region_info {
            argsz: size_of::<vfio_region_info>() as u32,
            flags,
            index,
            cap_offset: 0,
            size,
            offset: 0,
        },
        sparse_areas: if is_window {
            vec![SparseArea { area }]
        } else {
            Vec::new()
        },
        mmap_fd: is_window.then(|| window.descriptor().as_raw_fd()),
    }
}

fn interrupts() -> Vec<IrqInfo> {
    let info = |index| match index {
        VFIO_PCI_MSIX_IRQ_INDEX => IrqInfo {
            index,
            flags: VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE,
            count: VECTORS.into(),
        },
        _ => IrqInfo {
            index,
            flags: VFIO_IRQ_INFO_EVENTFD,
            count: 0,
        },
    };
    (0..VFIO_PCI_NUM_IRQS).map(info).collect()
}
