//! Activation tokens asked for in the instance's name, whatever name the guest gives.

use std::rc::Rc;

use wl_proxy::protocols::xdg_activation_v1::{
    xdg_activation_token_v1::{XdgActivationTokenV1, XdgActivationTokenV1Handler},
    xdg_activation_v1::{XdgActivationV1, XdgActivationV1Handler},
};

use crate::session::Session;

pub struct Activation {
    pub session: Rc<Session>,
}

impl XdgActivationV1Handler for Activation {
    fn handle_get_activation_token(
        &mut self,
        slf: &Rc<XdgActivationV1>,
        id: &Rc<XdgActivationTokenV1>,
    ) {
        id.set_handler(Token);
        slf.send_get_activation_token(id);
        id.send_set_app_id(&self.session.policy.name.window_app_id());
    }
}

struct Token;

impl XdgActivationTokenV1Handler for Token {
    fn handle_set_app_id(&mut self, _slf: &Rc<XdgActivationTokenV1>, _app_id: &str) {}
}
