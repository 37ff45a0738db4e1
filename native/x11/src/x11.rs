//! The window manager's connection: atoms, the selections that mark it, and the requests that the bridge makes.

mod events;
mod properties;

use std::os::unix::net::UnixStream;

use thiserror::Error;
use x11rb::{
    COPY_DEPTH_FROM_PARENT, CURRENT_TIME,
    connection::Connection,
    errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError},
    properties::WmHints,
    protocol::{
        composite::{self, ConnectionExt as _},
        xfixes::{self, ConnectionExt as _},
        xproto::{
            AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConfigureNotifyEvent,
            ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, EventMask, InputFocus,
            PropMode, StackMode, WindowClass,
        },
    },
    rust_connection::{DefaultStream, RustConnection},
    wrapper::ConnectionExt as _,
};

use crate::window::{Geometry, State};

x11rb::atom_manager! {
    pub Atoms: AtomsCookie {
        CLIPBOARD, CLOCHE_SELECTION, INCR, TARGETS, TIMESTAMP, UTF8_STRING,
        WL_SURFACE_SERIAL, WM_CHANGE_STATE, WM_DELETE_WINDOW, WM_PROTOCOLS, WM_S0, WM_STATE, WM_TAKE_FOCUS,
        _MOTIF_WM_HINTS, _NET_ACTIVE_WINDOW, _NET_CLOSE_WINDOW, _NET_SUPPORTED, _NET_SUPPORTING_WM_CHECK,
        _NET_WM_MOVERESIZE, _NET_WM_NAME, _NET_WM_STATE, _NET_WM_STATE_FULLSCREEN,
        _NET_WM_STATE_MAXIMIZED_HORZ, _NET_WM_STATE_MAXIMIZED_VERT,
    }
}

/// In the font "cursor"; its mask is the next.
const ARROW: u16 = 68;

#[derive(Debug, Error)]
pub enum XError {
    #[error("can't use Xwayland's connection")]
    Stream(#[from] std::io::Error),
    #[error("Xwayland refuses the window manager")]
    Refused(#[from] ConnectError),
    #[error("the connection to Xwayland is lost")]
    Lost(#[from] ConnectionError),
    #[error("Xwayland answers with an error")]
    Reply(#[from] ReplyError),
    #[error("Xwayland gives no more identifiers")]
    Id(#[from] ReplyOrIdError),
}

pub struct X11 {
    pub connection: RustConnection,
    pub atoms: Atoms,
    pub root: u32,
    /// Our own window, never shown.
    pub own: u32,
    /// The bits of an identifier that tell the client that made it.
    client_mask: u32,
}

impl X11 {
    /// Becomes the window manager. From then on Xwayland takes connections.
    pub fn open(stream: UnixStream) -> Result<Self, XError> {
        let (stream, _) = DefaultStream::from_unix_stream(stream)?;
        let connection = RustConnection::connect_to_stream(stream, 0)?;
        let atoms = Atoms::new(&connection)?.reply()?;
        let setup = connection.setup();
        let client_mask = !setup.resource_id_mask;
        let root = setup.roots.first().map_or(0, |screen| screen.root);
        let own = connection.generate_id()?;
        let x = Self {
            connection,
            atoms,
            root,
            own,
            client_mask,
        };
        x.manage()?;
        Ok(x)
    }

    fn manage(&self) -> Result<(), XError> {
        let (connection, atoms, root, own) = (&self.connection, &self.atoms, self.root, self.own);
        let events = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        let attributes = ChangeWindowAttributesAux::new().event_mask(events);
        connection
            .change_window_attributes(root, &attributes)?
            .check()?;
        connection.composite_query_version(0, 4)?.reply()?;
        connection.xfixes_query_version(5, 0)?.reply()?;
        // Only a window that is drawn into memory of its own gets a surface of its own.
        connection
            .composite_redirect_subwindows(root, composite::Redirect::MANUAL)?
            .check()?;
        self.set_cursor()?;
        let aux = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        let class = WindowClass::INPUT_OUTPUT;
        connection.create_window(
            COPY_DEPTH_FROM_PARENT,
            own,
            root,
            0,
            0,
            1,
            1,
            0,
            class,
            0,
            &aux,
        )?;
        for window in [own, root] {
            self.set_window(window, atoms._NET_SUPPORTING_WM_CHECK, own)?;
        }
        connection.change_property8(
            PropMode::REPLACE,
            own,
            atoms._NET_WM_NAME,
            atoms.UTF8_STRING,
            b"cloche",
        )?;
        let supported = [
            atoms._NET_ACTIVE_WINDOW,
            atoms._NET_CLOSE_WINDOW,
            atoms._NET_SUPPORTING_WM_CHECK,
            atoms._NET_WM_MOVERESIZE,
            atoms._NET_WM_NAME,
            atoms._NET_WM_STATE,
            atoms._NET_WM_STATE_FULLSCREEN,
            atoms._NET_WM_STATE_MAXIMIZED_HORZ,
            atoms._NET_WM_STATE_MAXIMIZED_VERT,
        ];
        connection.change_property32(
            PropMode::REPLACE,
            root,
            atoms._NET_SUPPORTED,
            AtomEnum::ATOM,
            &supported,
        )?;
        let mask = xfixes::SelectionEventMask::SET_SELECTION_OWNER
            | xfixes::SelectionEventMask::SELECTION_WINDOW_DESTROY
            | xfixes::SelectionEventMask::SELECTION_CLIENT_CLOSE;
        connection.xfixes_select_selection_input(own, atoms.CLIPBOARD, mask)?;
        connection.set_selection_owner(own, atoms.WM_S0, CURRENT_TIME)?;
        connection.flush()?;
        Ok(())
    }

    /// Windows without a cursor of their own get an arrow; the server's own choice is a cross.
    fn set_cursor(&self) -> Result<(), XError> {
        let (connection, white) = (&self.connection, u16::MAX);
        let (font, cursor) = (connection.generate_id()?, connection.generate_id()?);
        connection.open_font(font, b"cursor")?;
        connection.create_glyph_cursor(
            cursor,
            font,
            font,
            ARROW,
            ARROW + 1,
            0,
            0,
            0,
            white,
            white,
            white,
        )?;
        let attributes = ChangeWindowAttributesAux::new().cursor(cursor);
        connection.change_window_attributes(self.root, &attributes)?;
        connection.close_font(font)?;
        Ok(())
    }

    pub fn is_same_client(&self, one: u32, other: u32) -> bool {
        one & self.client_mask == other & self.client_mask
    }

    pub fn watch(&self, window: u32) -> Result<(), XError> {
        let aux = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        self.connection.change_window_attributes(window, &aux)?;
        Ok(())
    }

    pub fn place(&self, window: u32, geometry: Geometry) -> Result<(), XError> {
        let aux = ConfigureWindowAux::new()
            .x(geometry.x)
            .y(geometry.y)
            .width(geometry.width)
            .height(geometry.height)
            .border_width(0);
        self.connection.configure_window(window, &aux)?;
        Ok(())
    }

    /// Says to a client that its window stays as it is (ICCCM 4.1.5).
    pub fn repeat_geometry(&self, window: u32, geometry: Geometry) -> Result<(), XError> {
        let event = ConfigureNotifyEvent {
            response_type: x11rb::protocol::xproto::CONFIGURE_NOTIFY_EVENT,
            event: window,
            window,
            x: geometry.x as i16,
            y: geometry.y as i16,
            width: geometry.width as u16,
            height: geometry.height as u16,
            ..ConfigureNotifyEvent::default()
        };
        self.connection
            .send_event(false, window, EventMask::STRUCTURE_NOTIFY, event)?;
        Ok(())
    }

    pub fn map(&self, window: u32) -> Result<(), XError> {
        self.set_wm_state(window, true)?;
        self.connection.map_window(window)?;
        Ok(())
    }

    pub fn unmap(&self, window: u32) -> Result<(), XError> {
        self.connection.unmap_window(window)?;
        Ok(())
    }

    /// NormalState or WithdrawnState (ICCCM 4.1.3.1).
    pub fn set_wm_state(&self, window: u32, is_shown: bool) -> Result<(), XError> {
        let atom = self.atoms.WM_STATE;
        let value = [u32::from(is_shown), 0];
        self.connection
            .change_property32(PropMode::REPLACE, window, atom, atom, &value)?;
        Ok(())
    }

    pub fn set_net_state(&self, window: u32, state: State) -> Result<(), XError> {
        let atoms = &self.atoms;
        let mut value = Vec::new();
        if state.fullscreen {
            value.push(atoms._NET_WM_STATE_FULLSCREEN);
        }
        if state.maximized {
            value.extend([
                atoms._NET_WM_STATE_MAXIMIZED_HORZ,
                atoms._NET_WM_STATE_MAXIMIZED_VERT,
            ]);
        }
        let (name, kind) = (atoms._NET_WM_STATE, AtomEnum::ATOM);
        self.connection
            .change_property32(PropMode::REPLACE, window, name, kind, &value)?;
        Ok(())
    }

    /// Gives the keyboard to a window and raises it, or takes it from all.
    pub fn focus(&self, window: Option<u32>, directly: bool, message: bool) -> Result<(), XError> {
        let connection = &self.connection;
        let target = window.filter(|_| directly).unwrap_or(x11rb::NONE);
        if window.is_none() || directly {
            connection.set_input_focus(InputFocus::NONE, target, CURRENT_TIME)?;
        }
        if let Some(window) = window {
            if message {
                self.send_protocol(window, self.atoms.WM_TAKE_FOCUS)?;
            }
            let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
            connection.configure_window(window, &above)?;
        }
        let active = window.unwrap_or(x11rb::NONE);
        self.set_window(self.root, self.atoms._NET_ACTIVE_WINDOW, active)
    }

    pub fn close(&self, window: u32, politely: bool) -> Result<(), XError> {
        if politely {
            return self.send_protocol(window, self.atoms.WM_DELETE_WINDOW);
        }
        self.connection.kill_client(window)?;
        Ok(())
    }

    fn send_protocol(&self, window: u32, protocol: u32) -> Result<(), XError> {
        let data = [protocol, CURRENT_TIME, 0, 0, 0];
        let event = ClientMessageEvent::new(32, window, self.atoms.WM_PROTOCOLS, data);
        self.connection
            .send_event(false, window, EventMask::NO_EVENT, event)?;
        Ok(())
    }

    fn set_window(&self, window: u32, property: u32, value: u32) -> Result<(), XError> {
        let kind = AtomEnum::WINDOW;
        self.connection
            .change_property32(PropMode::REPLACE, window, property, kind, &[value])?;
        Ok(())
    }
}

/// Whether a window takes the keyboard when it is given to it (ICCCM 4.1.7).
fn takes_input(hints: Option<WmHints>) -> bool {
    hints.and_then(|hints| hints.input).unwrap_or(true)
}
