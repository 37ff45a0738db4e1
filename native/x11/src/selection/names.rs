//! X11's names for kinds of data, and MIME types.

const UTF8: &str = "text/plain;charset=utf-8";
const PLAIN: &str = "text/plain";
const X11_TEXT: &str = "UTF8_STRING";
/// Latin-1: all that programs of X11's first years know.
pub const X11_LATIN: &str = "STRING";

/// The types to offer for what an X11 application has.
pub fn types_of(targets: &[String]) -> Vec<String> {
    let mut types: Vec<String> = targets
        .iter()
        .filter(|target| target.contains('/'))
        .cloned()
        .collect();
    if targets
        .iter()
        .any(|target| target == X11_TEXT || target == X11_LATIN)
    {
        for text in [UTF8, PLAIN] {
            if !types.iter().any(|known| known == text) {
                types.push(text.to_owned());
            }
        }
    }
    types
}

/// What to ask an X11 application for.
pub fn target_for(mime: &str, targets: &[String]) -> String {
    let text = [X11_TEXT, X11_LATIN]
        .into_iter()
        .find(|text| targets.iter().any(|target| target == text))
        .filter(|_| mime == UTF8 || mime == PLAIN);
    text.unwrap_or(mime).to_owned()
}

/// The targets for what the compositor's side has.
pub fn targets_of(types: &[String]) -> Vec<&str> {
    let mut targets: Vec<&str> = types.iter().map(String::as_str).collect();
    for text in [X11_TEXT, X11_LATIN] {
        if type_for(text, types).is_some() && !targets.contains(&text) {
            targets.push(text);
        }
    }
    targets
}

/// The type to ask the compositor's side for.
pub fn type_for<'a>(target: &str, types: &'a [String]) -> Option<&'a str> {
    let find = |wanted: &str| {
        types
            .iter()
            .map(String::as_str)
            .find(|known| *known == wanted)
    };
    if target == X11_TEXT || target == X11_LATIN {
        return find(UTF8).or_else(|| find(PLAIN)).or_else(|| find(target));
    }
    find(target)
}

pub fn latin_to_utf8(bytes: &[u8]) -> Vec<u8> {
    let text: String = bytes.iter().copied().map(char::from).collect();
    text.into_bytes()
}

/// What Latin-1 has no letter for becomes a question mark.
pub fn utf8_to_latin(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    text.chars()
        .map(|letter| u8::try_from(letter).unwrap_or(b'?'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn text_is_offered_by_its_mime_types() {
        let targets = owned(&["TARGETS", "STRING", "UTF8_STRING", "text/html"]);
        assert_eq!(types_of(&targets), ["text/html", UTF8, PLAIN]);
        assert_eq!(target_for(UTF8, &targets), "UTF8_STRING");
        assert_eq!(target_for("text/html", &targets), "text/html");
    }

    #[test]
    fn text_is_asked_for_as_utf8_first() {
        let types = owned(&["image/png", PLAIN, UTF8]);
        assert_eq!(type_for("UTF8_STRING", &types), Some(UTF8));
        assert_eq!(type_for("image/png", &types), Some("image/png"));
        assert_eq!(type_for("STRING", &types), Some(UTF8));
        assert_eq!(type_for("COMPOUND_TEXT", &types), None);
        assert_eq!(
            targets_of(&types),
            ["image/png", PLAIN, UTF8, "UTF8_STRING", "STRING"]
        );
        assert_eq!(targets_of(&owned(&["image/png"])), ["image/png"]);
    }

    #[test]
    fn programs_without_unicode_get_latin_letters() {
        let targets = owned(&["TARGETS", "STRING"]);
        assert_eq!(types_of(&targets), [UTF8, PLAIN]);
        assert_eq!(target_for(PLAIN, &targets), "STRING");
        assert_eq!(latin_to_utf8(b"caf\xe9"), "caf\u{e9}".as_bytes());
        assert_eq!(utf8_to_latin("caf\u{e9} \u{2014}".as_bytes()), b"caf\xe9 ?");
    }
}
