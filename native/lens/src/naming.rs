//! What marks a window as the instance's: the title prefix and the app_id, from `APP` or `APP@INSTANCE`.

use thiserror::Error;

/// Characters of a guest's title that are passed on.
const TITLE_CHARACTERS: usize = 256;
/// Characters in each half of an instance's name.
const NAME_CHARACTERS: usize = 128;

#[derive(Debug, Error, PartialEq, Eq)]
pub enum NameError {
    #[error(
        "`{0}` is not APP or APP@INSTANCE, each of 1 to {NAME_CHARACTERS} letters, digits, `.`, `_` or `-`"
    )]
    Invalid(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceName {
    app: String,
    instance: Option<String>,
}

impl InstanceName {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let invalid =
            || NameError::Invalid(text.chars().take(64).filter(|c| !c.is_control()).collect());
        let (app, instance) = match text.split_once('@') {
            Some((app, instance)) => (app, Some(instance)),
            None => (text, None),
        };
        if !is_name(app) || !instance.is_none_or(is_name) {
            return Err(invalid());
        }
        Ok(Self {
            app: app.to_owned(),
            instance: instance.map(str::to_owned),
        })
    }

    /// `foot@work`
    pub fn id(&self) -> String {
        match &self.instance {
            Some(instance) => format!("{}@{instance}", self.app),
            None => self.app.clone(),
        }
    }

    /// `cloche.foot`
    pub fn app_id(&self) -> String {
        format!("cloche.{}", self.app)
    }

    /// `cloche.foot.work`
    pub fn window_app_id(&self) -> String {
        match &self.instance {
            Some(instance) => format!("cloche.{}.{instance}", self.app),
            None => self.app_id(),
        }
    }

    /// `[foot@work] title`, where the title can neither run on nor rearrange the prefix.
    pub fn title(&self, title: &str) -> String {
        let kept: String = title
            .chars()
            .filter(|c| is_plain(*c))
            .take(TITLE_CHARACTERS)
            .collect();
        format!("[{}] {kept}", self.id())
    }
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    let starts_well = characters.next().is_some_and(|c| c.is_ascii_alphanumeric());
    starts_well
        && text.len() <= NAME_CHARACTERS
        && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// Control characters, line separators and what changes the direction of text would let a title hide its prefix.
fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> InstanceName {
        InstanceName::parse(text).expect("valid name")
    }

    #[test]
    fn an_instance_marks_title_and_app_id() {
        assert_eq!(name("foot@work").title("bash"), "[foot@work] bash");
        assert_eq!(name("foot@work").window_app_id(), "cloche.foot.work");
        assert_eq!(name("foot@work").app_id(), "cloche.foot");
        assert_eq!(name("foot").title(""), "[foot] ");
        assert_eq!(name("foot").window_app_id(), "cloche.foot");
        assert_eq!(name("foot@work").id(), "foot@work");
    }

    #[test]
    fn a_title_loses_what_could_hide_its_prefix() {
        assert_eq!(
            name("foot").title("a\nb\u{7}\u{202e}c\u{2028}d\u{9b}"),
            "[foot] abcd"
        );
    }

    #[test]
    fn a_name_that_is_not_plain_is_refused() {
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "-a",
            "a@b@c",
            "a/b",
            "a b",
            "..",
            "é",
            "a@\n",
            &"x".repeat(129),
        ] {
            assert!(InstanceName::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_title_fits_a_message_and_keeps_its_prefix(title in any::<String>()) {
            let shown = name("foot@work").title(&title);
            prop_assert!(shown.starts_with("[foot@work] "));
            prop_assert!(shown.len() <= 12 + 4 * TITLE_CHARACTERS);
            prop_assert!(!shown.chars().any(char::is_control));
        }

        #[test]
        fn any_name_is_parsed_or_refused(text in any::<String>()) {
            if let Ok(name) = InstanceName::parse(&text) {
                prop_assert_eq!(name.id(), text);
            }
        }
    }
}
