//! The device as the monitor sees it: regions that are read and written, memory that is mapped, interrupts that are raised.

use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_DATA_EVENTFD, VFIO_PCI_BAR0_REGION_INDEX,
    VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_MSIX_IRQ_INDEX,
};
use vfio_user::{DmaMapFlags, DmaUnmapFlags, ServerBackend};

use crate::{
    control::Gpu,
    memory::{GuestMemory, MemoryError},
    pci::{COMMON, Config, DEVICE, ISR, MSIX_TABLE, NOTIFY, NOTIFY_STEP, PART, VECTORS},
    queue::{QueueError, Taken},
    registers,
    transport::{CONTROL, CURSOR, Effect, Transport},
    wait::{Token, Waiter},
    window::Window,
};

/// Capability sets, at their place in the device's configuration.
const CAPSETS_AT: usize = 12;
/// Requests that are executed in one turn; the monitor's other messages are not to wait for a driver that never stops.
const TURN: usize = 1024;
/// Bytes of the requests of one turn after which it ends: what they ask for takes time by their length.
const TURN_BYTES: usize = 256 << 10;
/// Bytes that a monitor reads of a region at once.
const LARGEST_READ: usize = 1 << 20;

pub struct Device {
    config: Config,
    transport: Transport,
    vector_table: [u8; PART as usize],
    /// Where an interrupt of each vector is raised.
    vectors: [Option<File>; VECTORS as usize],
    memory: GuestMemory,
    gpu: Gpu,
    waiter: Arc<Waiter>,
}

impl Device {
    pub fn new(window: Window, wayland: PathBuf, waiter: Arc<Waiter>) -> Result<Self, QueueError> {
        Ok(Self {
            config: Config::new(window.bytes()),
            transport: Transport::new()?,
            vector_table: [0; PART as usize],
            vectors: Default::default(),
            memory: GuestMemory::default(),
            gpu: Gpu::new(window, wayland, waiter.clone()),
            waiter,
        })
    }

    pub fn read(&mut self, region: u32, offset: u64, data: &mut [u8]) {
        data.fill(0);
        match (region, offset) {
            (VFIO_PCI_CONFIG_REGION_INDEX, _) => self.config.read(offset, data),
            (VFIO_PCI_BAR0_REGION_INDEX, COMMON..ISR) => self.transport.read(offset, data),
            (VFIO_PCI_BAR0_REGION_INDEX, DEVICE..NOTIFY) => {
                let mut state = [0; 16];
                state[CAPSETS_AT] = 1;
                registers::read(&state, offset - DEVICE, data);
            }
            (VFIO_PCI_BAR0_REGION_INDEX, MSIX_TABLE..) => {
                registers::read(&self.vector_table, offset - MSIX_TABLE, data);
            }
            _ => {}
        }
    }

    pub fn write(&mut self, region: u32, offset: u64, data: &[u8]) {
        match (region, offset) {
            (VFIO_PCI_CONFIG_REGION_INDEX, _) => self.config.write(offset, data),
            (VFIO_PCI_BAR0_REGION_INDEX, COMMON..ISR) => {
                let effect = self.transport.write(offset, data);
                self.apply(effect);
            }
            (VFIO_PCI_BAR0_REGION_INDEX, NOTIFY..MSIX_TABLE) => {
                self.kick((offset - NOTIFY) / NOTIFY_STEP);
            }
            (VFIO_PCI_BAR0_REGION_INDEX, MSIX_TABLE..) => {
                let table = &mut self.vector_table;
                registers::write(table, offset - MSIX_TABLE, data, |_| 0xff);
            }
            _ => {}
        }
    }

    pub fn map(
        &mut self,
        address: u64,
        size: u64,
        file: File,
        offset: u64,
    ) -> Result<(), MemoryError> {
        self.memory.map(address, size, file, offset)
    }

    pub fn unmap(&mut self, address: u64, size: u64) -> Result<(), MemoryError> {
        self.memory.unmap(address, size)
    }

    pub fn unmap_all(&mut self) {
        self.memory.unmap_all();
    }

    /// Everything but memory and interrupts is as it was at first.
    pub fn reset(&mut self) {
        self.transport.reset();
        self.gpu.reset();
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Nothing => {}
            Effect::Reset => self.reset(),
        }
    }

    pub fn set_vector(&mut self, vector: usize, file: Option<File>) {
        if let Some(cell) = self.vectors.get_mut(vector) {
            *cell = file;
        }
    }

    /// Descriptors that were waited for are ready.
    pub fn go_on(&mut self, ready: &[Token]) {
        let mut done = Vec::new();
        for token in ready {
            self.gpu.go_on(&self.memory, *token, &mut done);
        }
        let outcome = self.give_back(done);
        self.settle(CONTROL, outcome);
        if ready.contains(&Token::AGAIN) {
            self.kick(CONTROL as u64);
            self.kick(CURSOR as u64);
        }
    }

    fn kick(&mut self, queue: u64) {
        if !self.transport.is_running() {
            return;
        }
        match queue {
            0 => {
                let outcome = self.work();
                self.settle(CONTROL, outcome);
            }
            1 => {
                let outcome = self.drain_cursor();
                self.settle(CURSOR, outcome);
            }
            _ => {}
        }
    }

    /// Executes what is on the control queue.
    fn work(&mut self) -> Result<(), QueueError> {
        let mut bytes = 0;
        for _ in 0..TURN {
            let queue = &mut self.transport.queues[CONTROL];
            let Some((request, reply)) = queue.take(&self.memory)? else {
                if queue.wants_more(&self.memory)? {
                    continue;
                }
                return Ok(());
            };
            let mut done = Vec::new();
            let write = |answer: &[u8]| reply.write(answer);
            self.gpu.execute(&self.memory, &request, write, &mut done)?;
            self.give_back(done)?;
            bytes += request.len();
            if bytes > TURN_BYTES {
                break;
            }
        }
        self.waiter.call_again();
        Ok(())
    }

    /// There is nothing to point at: requests are given back as they are.
    fn drain_cursor(&mut self) -> Result<(), QueueError> {
        for _ in 0..TURN {
            let queue = &mut self.transport.queues[CURSOR];
            match queue.take(&self.memory)? {
                Some((_, reply)) => queue.give_back(&self.memory, reply.write(&[])?)?,
                None if queue.wants_more(&self.memory)? => {}
                None => return Ok(()),
            }
        }
        self.waiter.call_again();
        Ok(())
    }

    fn give_back(&mut self, done: Vec<Taken>) -> Result<(), QueueError> {
        for taken in done {
            self.transport.queues[CONTROL].give_back(&self.memory, taken)?;
        }
        Ok(())
    }

    /// Tells the driver of answers, or that it has to reset the device.
    fn settle(&mut self, queue: usize, outcome: Result<(), QueueError>) {
        let needed =
            outcome.and_then(|()| self.transport.queues[queue].needs_interrupt(&self.memory));
        match needed {
            Ok(true) => self.interrupt(self.transport.queues[queue].vector),
            Ok(false) => {}
            Err(error) => {
                log::warn!("the driver has to reset the device: {error}");
                self.transport.fail();
                self.gpu.reset();
                self.interrupt(self.transport.config_vector());
            }
        }
    }

    fn interrupt(&self, vector: u16) {
        if let Some(Some(file)) = self.vectors.get(usize::from(vector)) {
            // An eventfd that is full has an interrupt on its way already.
            let _ = (&*file).write(&1u64.to_ne_bytes());
        }
    }
}

/// The device, from the monitor's thread and from the one that waits.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Device>>);

impl Shared {
    pub fn new(device: Device) -> Self {
        Self(Arc::new(Mutex::new(device)))
    }

    pub fn lock(&self) -> MutexGuard<'_, Device> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerBackend for Shared {
    fn region_read(&mut self, region: u32, offset: u64, data: &mut [u8]) -> io::Result<()> {
        // The window is mapped, registers are read one by one: this much is nobody's read.
        if data.len() > LARGEST_READ {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.lock().read(region, offset, data);
        Ok(())
    }

    fn region_write(&mut self, region: u32, offset: u64, data: &[u8]) -> io::Result<()> {
        self.lock().write(region, offset, data);
        Ok(())
    }

    fn dma_map(
        &mut self,
        flags: DmaMapFlags,
        offset: u64,
        address: u64,
        size: u64,
        file: Option<File>,
    ) -> io::Result<()> {
        // Requests, answers and rings never lie in what is not shared, or what is only to be read.
        let Some(file) = file.filter(|_| flags.contains(DmaMapFlags::READ_WRITE)) else {
            return Ok(());
        };
        self.lock()
            .map(address, size, file, offset)
            .map_err(io::Error::other)
    }

    fn dma_unmap(&mut self, flags: DmaUnmapFlags, address: u64, size: u64) -> io::Result<()> {
        if flags.contains(DmaUnmapFlags::UNMAP_ALL) {
            self.lock().unmap_all();
        } else {
            // Regions that were not shared are unmapped too.
            let _ = self.lock().unmap(address, size);
        }
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.lock().reset();
        Ok(())
    }

    fn set_irqs(
        &mut self,
        index: u32,
        flags: u32,
        start: u32,
        count: u32,
        files: Vec<File>,
    ) -> io::Result<()> {
        // Masks are the monitor's own, and it fires by the descriptors that it gave.
        let is_setting = flags & VFIO_IRQ_SET_ACTION_TRIGGER != 0
            && (flags & VFIO_IRQ_SET_DATA_EVENTFD != 0 || count == 0);
        if index != VFIO_PCI_MSIX_IRQ_INDEX || !is_setting {
            return Ok(());
        }
        let mut device = self.lock();
        if count == 0 {
            (0..VECTORS.into()).for_each(|vector| device.set_vector(vector, None));
        }
        let mut files = files.into_iter();
        for index in 0..count.min(VECTORS.into()) {
            let vector = usize::try_from(start.saturating_add(index));
            device.set_vector(vector.unwrap_or(usize::MAX), files.next());
        }
        Ok(())
    }
}
