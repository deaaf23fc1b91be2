//! Reads a `.env` as the Ruby gem `dotenv` 3 does, because the walk-through shares the file with a Rails service.
//!
//! No parser on crates.io gives the gem's values for blanks, comments, quotes, escapes and `$NAME` alike. Where this
//! one does not read what the gem reads, its error gives the line and the rule, and never shows the text.

use regex::{Captures, Regex};
use std::{collections::HashMap, sync::LazyLock};
use zeroize::Zeroizing;

/// The gem's own expression, from its `lib/dotenv/parser.rb`, with a group for each kind of value; or else the start of
/// a line that the gem would skip silently, with no group. Ruby's classes are ASCII.
static LINE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(?x)
    (?m:^) [[:space:]]* (?<export> export [[:space:]]+ )? (?<name> [[:word:].]+ )
    (?:
        (?<separator> [[:space:]]* = [[:space:]]*? | : [[:space:]]+? )
        (?:
            [[:space:]]* ' (?<single> (?: \\' | [^'] )* ) ' |
            [[:space:]]* " (?<double> (?: \\" | [^"] )* ) " |
            (?<plain> [^\#\n]+ )
        )?
    )?
    [[:space:]]* (?: \#.* )? (?m:$) |
    (?m:^) [[:space:]--\n]* [^[:space:]\#]"#;
    Regex::new(pattern).unwrap()
});
/// What the gem does to a value that is not between single quotes, in this order.
static ESCAPE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\\([^$])").unwrap());
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?<escaped>\\)?\$(?<open>\{)?(?<name>[A-Za-z0-9_]+)?(?<close>\})?";
    Regex::new(pattern).unwrap()
});

/// Each name with its value, or with the rule that its line breaks: only a reader of the name gets the error.
#[derive(Default)]
pub struct Dotenv(HashMap<String, Result<Zeroizing<String>, String>>);

impl Dotenv {
    /// A `$NAME` in a value is looked up in `environment`, and then in the file.
    pub fn parse(bytes: &[u8], environment: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let text = str::from_utf8(bytes).map_err(|error| at_line(bytes, error.valid_up_to(), "expected UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = Zeroizing::new(text.replace("\r\n", "\n"));
        let text = Zeroizing::new(text.replace('\r', "\n"));
        if let Some(nul) = text.find('\0') {
            return Err(at_line(text.as_bytes(), nul, "found a NUL character"));
        }
        let at_line = |place, rule: &str| at_line(text.as_bytes(), place, rule);
        let mut dotenv = Self::default();
        for line in LINE.captures_iter(&text) {
            let Some(name) = line.name("name") else {
                return Err(at_line(line.get_match().start(), "expected NAME=value"));
            };
            let (name, place) = (name.as_str(), name.start());
            let known = dotenv.0.contains_key(name);
            let has = |group| line.name(group).is_some();
            let value = match (has("separator"), has("export")) {
                (false, false) => return Err(at_line(place, "expected NAME=value")),
                // The gem takes the last line, so a key that was removed from the first would still be accepted.
                (true, _) if known => Err("this line sets it a second time; remove one of them"),
                (_, true) if !["single", "double", "plain"].into_iter().any(has) => {
                    if known || environment(name).is_some() {
                        continue;
                    }
                    Err("expected a value after `export` and the name")
                }
                _ => dotenv.value(&line, &environment),
            };
            let value = value.map_err(|rule| at_line(place, rule));
            dotenv.0.insert(name.to_owned(), value);
        }
        Ok(dotenv)
    }

    pub fn get(&self, name: &str) -> Result<Option<&str>, &str> {
        let value = self.0.get(name).map(|value| value.as_ref().map(|text| text.as_str()));
        value.transpose().map_err(String::as_str)
    }

    fn value(
        &self,
        line: &Captures<'_>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Zeroizing<String>, &'static str> {
        let group = |name| line.name(name).map(|value| value.as_str());
        if let Some(text) = group("single") {
            return Ok(Zeroizing::new(text.to_owned()));
        }
        let text = if let Some(text) = group("double") {
            if text.contains(r"\n") || text.contains(r"\r") {
                return Err(r"found `\n` or `\r` between double quotes, which is a line end for some readers only");
            }
            text
        } else {
            // As Ruby's `strip`.
            let text = group("plain")
                .unwrap_or_default()
                .trim_matches([' ', '\t', '\n', '\x0b', '\x0c']);
            if text.starts_with(['\'', '"']) {
                return Err("a value that begins with a quote must end with it, and only a comment may follow");
            }
            text
        };
        let text = ESCAPE.replace_all(text, "$1");
        if text.contains("$(") {
            return Err("`$(` runs a command for other readers; between single quotes it stands for itself");
        }
        let mut value = Zeroizing::new(String::with_capacity(text.len()));
        let mut end = 0;
        for variable in VARIABLE.captures_iter(&text) {
            let whole = variable.get_match();
            value.push_str(&text[end..whole.start()]);
            end = whole.end();
            let has = |group| variable.name(group).is_some();
            match variable.name("name") {
                _ if has("escaped") => value.push_str(&whole.as_str()[1..]),
                None => value.push_str(whole.as_str()),
                Some(_) if has("open") != has("close") => return Err("expected $NAME or ${NAME}, found one brace"),
                Some(name) => match (environment(name.as_str()), self.get(name.as_str())) {
                    (Some(text), _) => value.push_str(&text),
                    (None, Ok(Some(text))) => value.push_str(text),
                    _ => {
                        return Err("`$` names a variable that is not set; between single quotes it stands for itself");
                    }
                },
            }
        }
        value.push_str(&text[end..]);
        Ok(value)
    }
}

fn at_line(text: &[u8], place: usize, rule: &str) -> String {
    let lines = text[..place].split(|byte| *byte == b'\n');
    format!("line {}: {rule}", lines.count())
}
