//! Object paths of requests and sessions, from who asks and the token that it chose.

pub const DESKTOP: &str = "/org/freedesktop/portal/desktop";
pub const DOCUMENTS: &str = "/org/freedesktop/portal/documents";

/// As xdg-desktop-portal takes them: a path element of a bounded length.
const MAX_TOKEN: usize = 255;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Request,
    Session,
}

impl Kind {
    fn element(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Session => "session",
        }
    }
}

/// The path for a program's object. A token that cannot be part of a path is replaced by one with `id` in it.
pub fn path(kind: Kind, sender: &str, token: Option<&str>, id: u32) -> String {
    let sender = sender.trim_start_matches(':').replace('.', "_");
    let own = format!("cloche{id}");
    let token = token.filter(|token| is_element(token)).unwrap_or(&own);
    format!("{DESKTOP}/{}/{sender}/{token}", kind.element())
}

fn is_element(token: &str) -> bool {
    (1..=MAX_TOKEN).contains(&token.len())
        && token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_can_tell_the_path_before_it_asks() {
        assert_eq!(
            path(Kind::Request, ":1.42", Some("gtk7"), 3),
            "/org/freedesktop/portal/desktop/request/1_42/gtk7"
        );
    }

    #[test]
    fn tokens_that_are_no_path_element_are_replaced() {
        let long = "a".repeat(256);
        for token in ["", "a-b", "../x", "a/b", "é", "a\0", &long] {
            assert_eq!(
                path(Kind::Session, ":1.42", Some(token), 3),
                "/org/freedesktop/portal/desktop/session/1_42/cloche3",
                "{token:?}"
            );
        }
    }
}
