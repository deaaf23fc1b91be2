//! The values of a `.env`, compared with those of the gem itself: `dotenv.rb` runs the one that is installed. Debian's
//! is of version 2; where version 3 differs, its value stands here, taken from a run of `dotenv.rb` with 3.2.0.

#[path = "../../src/dotenv.rs"]
mod reader;

use crate::harness::new_folder;
use reader::Dotenv;
use serde_json::Value;
use std::{
    io::Write,
    process::{Command, Stdio},
    thread::scope,
};

enum Expected {
    /// As the installed gem reads it.
    AsGem,
    /// `A` as version 3 reads it.
    AsGem3(&'static str),
    /// With this line and rule.
    Refused(u8, &'static str),
}
use Expected::{AsGem, AsGem3, Refused};

const QUOTE: &str = "a value that begins with a quote must end with it, and only a comment may follow";
const LINE_END: &str = r"found `\n` or `\r` between double quotes, which is a line end for some readers only";
const NOT_SET: &str = "`$` names a variable that is not set; between single quotes it stands for itself";
const COMMAND: &str = "`$(` runs a command for other readers; between single quotes it stands for itself";
const SECOND: &str = "this line sets it a second time; remove one of them";
const NO_VALUE: &str = "expected a value after `export` and the name";

/// What the combinations below do not contain.
const TABLE: &[(&str, Expected)] = &[
    // Blanks and empty lines.
    ("A=1\n\t\nB=2\n   \n", AsGem),
    ("A= \" x \" \nB='\ty '\n", AsGem),
    ("A=\u{a0}x\u{a0}\n", AsGem),
    ("A=x\x0b\x0c\n", AsGem),
    // Comments.
    ("# A=1\n\t# it's\nB=2 # it's\n", AsGem),
    ("A='a' # 'b'\n", AsGem3("a")),
    // Quotes.
    ("A=\"\"\nB=''\n", AsGem),
    ("A=x\"y\"'z'\n", AsGem),
    ("A='say \"x\"'\nB=\"it's\"\n", AsGem),
    ("A=\"l1\nl2\n\nB=2\"\n", AsGem3("l1\nl2\n\nB=2")),
    ("A='l1\r\nl2'\n", AsGem3("l1\nl2")),
    ("A=\n\"x\"\n", AsGem3("x")),
    ("B=1\nA=\"x\n", Refused(2, QUOTE)),
    ("A='x' y\n", Refused(1, QUOTE)),
    ("A=\"x'\n", Refused(1, QUOTE)),
    // `export`, and names.
    ("A=1\nexport A\n", AsGem),
    ("export A\n", Refused(1, NO_VALUE)),
    ("export A=\n", Refused(1, NO_VALUE)),
    ("A=1\n\nA=2\n", Refused(3, SECOND)),
    ("A=1\nexport A=\n", Refused(2, SECOND)),
    ("B=1\nA\n", Refused(2, "expected NAME=value")),
    ("B=1\nA 1\n", Refused(2, "expected NAME=value")),
    ("B=1\n\nA-B=1\n", Refused(3, "expected NAME=value")),
    ("A=1\nset -a # x\n", Refused(2, "expected NAME=value")),
    ("A=1\n\x0b\x0cgarbage here\n", Refused(2, "expected NAME=value")),
    // `$` and escapes.
    ("B=1\nA=$B-${B}-\"$B\"\n", AsGem),
    ("B=1\nA=\"x$B${B}y\" # c\n", AsGem),
    ("A='x$B${B}$(date)'\n", AsGem),
    ("A=\"a $ b\"\nB=$\n", AsGem),
    ("A=\"a\\$B\\${B}\"\n", AsGem),
    ("A=a\\$B\n", AsGem),
    ("A=\"a\\\"b\\\\c\"\n", AsGem),
    ("A='a\\b\\'c'\n", AsGem),
    ("A=a\\ b\\\\c\n", AsGem3("a b\\c")),
    ("A=\"a\\nb\"\n", Refused(1, LINE_END)),
    ("A=x$B\n", Refused(1, NOT_SET)),
    (
        "B=1\nA=${B:-2}\n",
        Refused(2, "expected $NAME or ${NAME}, found one brace"),
    ),
    ("A=$(date)\n", Refused(1, COMMAND)),
    // Line ends, the byte order mark, and what no variable can hold.
    ("\u{feff}A=1\n", AsGem),
    ("", AsGem),
    ("B=1\nA=x\0\n", Refused(2, "found a NUL character")),
];

/// What the gem reads, text by text; and its major version.
fn gem(texts: &[String]) -> (u64, Vec<Value>) {
    let mut ruby = Command::new("ruby")
        .args(["-E", "UTF-8", "tests/service/dotenv.rb"])
        .arg(new_folder().join(".env"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = ruby.stdin.take().unwrap();
    let output = scope(|scope| {
        scope.spawn(move || {
            for text in texts {
                writeln!(stdin, "{}", Value::from(text.as_str())).unwrap();
            }
        });
        ruby.wait_with_output().unwrap()
    });
    assert!(output.status.success());
    let output = String::from_utf8(output.stdout).unwrap();
    let mut lines = output.lines().map(|line| serde_json::from_str(line).unwrap());
    let version: Value = lines.next().unwrap();
    let read: Vec<Value> = lines.collect();
    assert_eq!(read.len(), texts.len());
    (version.as_u64().unwrap(), read)
}

fn no_environment(_: &str) -> Option<String> {
    None
}

/// `A` and `B`.
fn read(text: &str) -> Result<[Option<String>; 2], String> {
    let dotenv = Dotenv::parse(text.as_bytes(), no_environment)?;
    let [a, b] = ["A", "B"].map(|name| dotenv.get(name).map(|value| value.map(str::to_owned)));
    Ok([a?, b?])
}

fn a_and_b(read: &Value) -> [Option<String>; 2] {
    ["A", "B"].map(|name| read[name].as_str().map(str::to_owned))
}

#[test]
fn constructs_are_read_as_the_gem_reads_them() {
    let texts: Vec<String> = TABLE.iter().map(|(text, _)| (*text).to_owned()).collect();
    let (version, gem) = gem(&texts);
    for ((text, expected), gem) in TABLE.iter().zip(gem) {
        match expected {
            AsGem => assert_eq!(read(text), Ok(a_and_b(&gem)), "{text:?}"),
            AsGem3(value) => {
                assert_eq!(read(text).unwrap()[0].as_deref(), Some(*value), "{text:?}");
                assert_eq!(gem["A"] == *value, version >= 3, "{text:?}: {gem}");
            }
            Refused(line, rule) => assert_eq!(read(text), Err(format!("line {line}: {rule}")), "{text:?}"),
        }
    }
}

/// Every combination of blanks, quotes, comments and line ends.
#[test]
fn combinations_are_read_as_the_gem_reads_them() {
    let mut texts = vec![String::new()];
    for parts in [
        &["B=b\n \n", "B=b\r\n\t\r\n# c\r\n"] as &[&str],
        &["", " \t"],
        &["", "export\t"],
        &["A"],
        &["=", " = ", "=\t", ": "],
        &[
            "",
            "x",
            "x, y",
            "'x # y'",
            "\"x # y\"",
            "\"x${B}\"",
            "'x$B'",
            "$B\"y\"z",
            "\"it's\"",
            "\"\\\"\\$B\"",
            "\u{f6}",
        ],
        &["", " ", "\t ", " # c", "\t# c", "#c"],
        &["\n", "\r\n", "\r", ""],
    ] {
        texts = texts
            .iter()
            .flat_map(|text| parts.iter().map(move |part| format!("{text}{part}")))
            .collect();
    }
    let (_, gem) = gem(&texts);
    for (text, gem) in texts.iter().zip(gem) {
        match read(text) {
            Ok(values) => assert_eq!(values, a_and_b(&gem), "{text:?}"),
            // In version 3 only; version 2 reads an empty value.
            Err(error) => {
                assert!(error.ends_with(NO_VALUE), "{text:?}: {error}");
                assert!(gem.is_null() || gem["A"] == "", "{text:?}: {gem}");
            }
        }
    }
}

#[test]
fn error_concerns_only_those_who_read_the_name() {
    let dotenv = Dotenv::parse(b"KEY=\"a\\nb\"\nPATH=$(pwd)\nKEY=2\nA=1\nB=$KEY\n", no_environment).unwrap();
    assert_eq!(dotenv.get("A"), Ok(Some("1")));
    assert_eq!(dotenv.get("C"), Ok(None));
    assert_eq!(dotenv.get("KEY"), Err(&*format!("line 3: {SECOND}")));
    assert!(dotenv.get("PATH").is_err() && dotenv.get("B").is_err());
}

#[test]
fn environment_goes_before_the_file_in_a_value_too() {
    let environment = |name: &str| (name == "B").then(|| "set".to_owned());
    let dotenv = Dotenv::parse(b"B=written\nA=$B\nexport B\n", environment).unwrap();
    assert_eq!(dotenv.get("A"), Ok(Some("set")));
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_with_their_line() {
    let read = |bytes: &[u8]| Dotenv::parse(bytes, no_environment).err();
    assert_eq!(read(b"A=1\n# \xff\n"), Some("line 2: expected UTF-8".to_owned()));
    assert_eq!(read(b"\xff\xfeA\0=\0"), Some("line 1: expected UTF-8".to_owned()));
}
