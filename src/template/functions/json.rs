//! JSON as Go's encoder writes it.
use crate::template::limits::Budget;
use crate::template::print::{FloatForm, format_float};
use crate::template::value::{List, Map, Value, runes};

/// Encodes a value; `None` when it holds something JSON has no word for.
pub fn encode(value: &Value, pretty: bool, budget: &mut Budget) -> Result<Option<Vec<u8>>, String> {
    let mut encoder = Encoder {
        out: Vec::new(),
        pretty,
        depth: 0,
        budget,
    };
    Ok(encoder.value(value)?.then_some(encoder.out))
}

struct Encoder<'b> {
    out: Vec<u8>,
    pretty: bool,
    depth: usize,
    budget: &'b mut Budget,
}

impl Encoder<'_> {
    /// Writes one value; says whether JSON can hold it.
    fn value(&mut self, value: &Value) -> Result<bool, String> {
        self.budget.fits(self.out.len())?;
        self.budget.spend(1)?;
        self.budget.allow_depth(self.depth)?;
        match value {
            Value::Missing | Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Bool(truth) => self.out.extend_from_slice(truth.to_string().as_bytes()),
            Value::Int(_, number) => self.out.extend_from_slice(number.to_string().as_bytes()),
            Value::Float(number) => match float(*number) {
                Some(text) => self.out.extend_from_slice(text.as_bytes()),
                None => return Ok(false),
            },
            Value::Complex(..) => return Ok(false),
            Value::Text(text) => self.text(text),
            Value::List(list) if list.is_nil() => self.out.extend_from_slice(b"null"),
            Value::List(list) => return self.list(list),
            Value::Map(map) if map.is_nil() => self.out.extend_from_slice(b"null"),
            Value::Map(map) => return self.map(map),
            Value::Time(moment) => self.text(moment.rfc3339().as_bytes()),
            Value::Version(version) => self.text(version.to_string().as_bytes()),
            Value::BareVersion(_) => self.out.extend_from_slice(b"{}"),
        }
        Ok(true)
    }

    fn list(&mut self, list: &List) -> Result<bool, String> {
        self.out.push(b'[');
        self.depth += 1;
        for (index, element) in list.elements().iter().enumerate() {
            self.next_entry(index);
            if !self.value(element)? {
                return Ok(false);
            }
        }
        self.depth -= 1;
        self.close(b']', list.is_empty());
        Ok(true)
    }

    fn map(&mut self, map: &Map) -> Result<bool, String> {
        self.out.push(b'{');
        self.depth += 1;
        for (index, (name, element)) in map.snapshot().into_iter().enumerate() {
            self.next_entry(index);
            self.text(&name);
            self.out
                .extend_from_slice(if self.pretty { b": " } else { b":" });
            if !self.value(&element)? {
                return Ok(false);
            }
        }
        self.depth -= 1;
        self.close(b'}', map.len() == 0);
        Ok(true)
    }

    fn next_entry(&mut self, index: usize) {
        if index > 0 {
            self.out.push(b',');
        }
        self.new_line();
    }

    fn close(&mut self, bracket: u8, empty: bool) {
        if !empty {
            self.new_line();
        }
        self.out.push(bracket);
    }

    fn new_line(&mut self) {
        if self.pretty {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + 2 * self.depth, b' ');
        }
    }

    fn text(&mut self, text: &[u8]) {
        self.out.push(b'"');
        for (_, character, width) in runes::indexed(text) {
            match character {
                char::REPLACEMENT_CHARACTER if width == 1 => self.out.extend_from_slice(b"\\ufffd"),
                '"' | '\\' => self.out.extend_from_slice(&[b'\\', character as u8]),
                '\u{8}' => self.out.extend_from_slice(b"\\b"),
                '\u{c}' => self.out.extend_from_slice(b"\\f"),
                '\n' => self.out.extend_from_slice(b"\\n"),
                '\r' => self.out.extend_from_slice(b"\\r"),
                '\t' => self.out.extend_from_slice(b"\\t"),
                '<' | '>' | '&' | '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => {
                    self.out
                        .extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
                }
                other => self
                    .out
                    .extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        self.out.push(b'"');
    }
}

/// Writes a float without exponent where it is of ordinary size.
fn float(number: f64) -> Option<String> {
    if !number.is_finite() {
        return None;
    }
    let magnitude = number.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        return Some(format_float(number, FloatForm::Fixed, None));
    }
    Some(format_float(number, FloatForm::Exponent, None).replace("e-0", "e-"))
}
