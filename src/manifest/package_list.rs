//! A list of packages as it is written: changed without touching how the rest of it is laid out.
//!
//! What stands between two packages is a gap. Its first line, up to the line's end, belongs to the package before it (a
//! comment behind it), the lines below to the package after it (comments above it, its indentation).

use toml_edit::{Array, Value};

use super::requested_package;

/// Longer lists are written one package a line where they are new.
const WIDEST: usize = 100;
const INDENT: &str = "    ";

struct Element {
    /// What stands before it.
    gap: String,
    value: Value,
    /// What stands between it and its comma.
    after: String,
}

impl Element {
    fn text(&self) -> &str {
        self.value.as_str().unwrap_or_default()
    }
}

/// A list of packages taken apart.
pub(super) struct PackageList {
    elements: Vec<Element>,
    /// What stands behind the last comma.
    end: String,
    trailing_comma: bool,
}

impl PackageList {
    /// A list that is not in the file yet.
    pub fn new(requests: &[String]) -> PackageList {
        let mut list = PackageList {
            elements: Vec::new(),
            end: String::new(),
            trailing_comma: false,
        };
        for request in requests {
            list.add(request);
        }
        let width: usize = list
            .elements
            .iter()
            .map(|element| element.text().len() + 4)
            .sum();
        if width > WIDEST {
            let gap = format!("\n{INDENT}");
            list.elements
                .iter_mut()
                .for_each(|element| element.gap.clone_from(&gap));
            (list.end, list.trailing_comma) = ("\n".to_owned(), true);
        }
        list
    }

    pub fn of(array: &Array) -> PackageList {
        let elements = array.iter().enumerate().map(|(index, value)| {
            let decor = value.decor();
            let default_gap = if index == 0 { "" } else { " " };
            let text = |raw: Option<&toml_edit::RawString>, default: &str| {
                raw.and_then(|raw| raw.as_str())
                    .unwrap_or(default)
                    .to_owned()
            };
            Element {
                gap: text(decor.prefix(), default_gap),
                value: value.clone(),
                after: text(decor.suffix(), ""),
            }
        });
        let mut list = PackageList {
            elements: elements.collect(),
            end: array.trailing().as_str().unwrap_or_default().to_owned(),
            trailing_comma: array.trailing_comma(),
        };
        if !list.trailing_comma
            && let Some(last) = list.elements.last_mut()
        {
            list.end.insert_str(0, &std::mem::take(&mut last.after));
        }
        list
    }

    /// Writes it back.
    pub fn write(self, array: &mut Array) {
        array.clear();
        for element in self.elements {
            let mut value = element.value;
            *value.decor_mut() = toml_edit::Decor::new(element.gap, element.after);
            array.push_formatted(value);
        }
        let has_packages = !array.is_empty();
        array.set_trailing(self.end);
        array.set_trailing_comma(self.trailing_comma && has_packages);
    }

    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    pub fn requests(&self) -> impl Iterator<Item = &str> {
        self.elements.iter().map(Element::text)
    }

    /// Where the request for that package is.
    pub fn position(&self, package: &str) -> Option<usize> {
        self.requests()
            .position(|request| requested_package(request) == package)
    }

    /// Puts another request in the place of one, which it returns.
    pub fn replace(&mut self, index: usize, request: &str) -> String {
        std::mem::replace(&mut self.elements[index].value, request.into())
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Adds a request: in order if the list is in order, else at the end.
    pub fn add(&mut self, request: &str) {
        let index = self.place_of(request);
        let gap = match index == self.elements.len() {
            true => self.gap_at_end(),
            false => self.gap_before(index),
        };
        self.elements.insert(
            index,
            Element {
                gap,
                value: request.into(),
                after: String::new(),
            },
        );
    }

    fn place_of(&self, request: &str) -> usize {
        type Key = fn(&str) -> String;
        let by_letter: Key = |request| requested_package(request).to_lowercase();
        let by_byte: Key = |request| requested_package(request).to_owned();
        let end = self.elements.len();
        let in_order = |key: &Key| self.requests().map(key).is_sorted();
        match [by_letter, by_byte].into_iter().find(in_order) {
            Some(key) => self
                .requests()
                .position(|other| key(other) > key(request))
                .unwrap_or(end),
            None => end,
        }
    }

    fn gap_before(&mut self, index: usize) -> String {
        let one_per_line = self.is_one_per_line();
        let indent = self.indent();
        let next = &mut self.elements[index].gap;
        match next.find('\n') {
            Some(line_end) if one_per_line || next[..line_end].contains('#') => {
                let below = next.split_off(line_end);
                format!("{}\n{indent}", std::mem::replace(next, below))
            }
            Some(_) if index > 0 => " ".to_owned(),
            _ => std::mem::replace(next, " ".to_owned()),
        }
    }

    fn gap_at_end(&mut self) -> String {
        let own_line = self.is_one_per_line() || self.end.contains('#');
        let indent = self.indent();
        if self.elements.is_empty() && self.end.contains('\n') {
            self.trailing_comma = true;
        }
        match self.end.rfind('\n') {
            Some(last_line) if own_line => {
                let closing = self.end.split_off(last_line);
                format!("{}\n{indent}", std::mem::replace(&mut self.end, closing))
            }
            _ if self.elements.is_empty() => std::mem::take(&mut self.end),
            _ => " ".to_owned(),
        }
    }

    /// Takes a request out, with the comment behind it. Comments above it stay.
    pub fn remove(&mut self, index: usize) -> String {
        let removed = self.elements.remove(index);
        let is_first = index == 0;
        let (next, is_end) = match self.elements.get_mut(index) {
            Some(next) => (&mut next.gap, false),
            None => (&mut self.end, true),
        };
        match (removed.gap.rfind('\n'), next.find('\n')) {
            (Some(last_line), Some(line_end)) => {
                *next = format!("{}{}", &removed.gap[..last_line], &next[line_end..]);
            }
            (None, _) if !is_first => {}
            _ if is_end => {}
            _ => next.clone_from(&removed.gap),
        }
        removed.text().to_owned()
    }

    fn is_one_per_line(&self) -> bool {
        match self.elements.is_empty() {
            true => self.end.contains('\n'),
            false => self
                .elements
                .iter()
                .all(|element| element.gap.contains('\n')),
        }
    }

    fn indent(&self) -> String {
        let gaps = self.elements.iter().map(|element| element.gap.as_str());
        let mut indents = gaps.filter_map(|gap| gap.rsplit_once('\n'));
        indents
            .next()
            .map_or(INDENT, |(_, indent)| indent)
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use toml_edit::DocumentMut;

    use super::*;

    fn changed(text: &str, change: impl FnOnce(&mut PackageList)) -> String {
        let mut document: DocumentMut = format!("x = {text}\n").parse().unwrap();
        let array = document["x"].as_array_mut().unwrap();
        let mut list = PackageList::of(array);
        change(&mut list);
        list.write(array);
        let text = document.to_string();
        text.strip_prefix("x = ").unwrap().trim_end().to_owned()
    }

    #[test]
    fn a_package_is_added_where_it_belongs_in_the_layout_of_the_list() {
        for (before, added, after) in [
            ("[]", "b", "[\"b\"]"),
            ("[ ]", "b", "[ \"b\"]"),
            ("['a', \"c\"]", "b", "['a', \"b\", \"c\"]"),
            ("[\"a\", \"c\"]", "d", "[\"a\", \"c\", \"d\"]"),
            ("[ \"b\" ]", "a", "[ \"a\", \"b\" ]"),
            ("[ \"b\" ]", "c", "[ \"b\", \"c\" ]"),
            ("[\"a\", \"c\",]", "d", "[\"a\", \"c\", \"d\",]"),
            // Not in order: at the end.
            ("[\"c\", \"a\"]", "b", "[\"c\", \"a\", \"b\"]"),
            // In the order of letters, or of bytes.
            (
                "[\"dplyr\", \"Matrix\"]",
                "MASS",
                "[\"dplyr\", \"MASS\", \"Matrix\"]",
            ),
            (
                "[\"MASS\", \"dplyr\"]",
                "Rcpp",
                "[\"MASS\", \"Rcpp\", \"dplyr\"]",
            ),
            (
                "[\n  \"a\",\n  \"c\",\n]",
                "b",
                "[\n  \"a\",\n  \"b\",\n  \"c\",\n]",
            ),
            (
                "[\n  \"a\",\n  \"c\"\n]",
                "d",
                "[\n  \"a\",\n  \"c\",\n  \"d\"\n]",
            ),
            ("[\n  \"b\",\n]", "a", "[\n  \"a\",\n  \"b\",\n]"),
            (
                "[\n    # nothing yet\n]",
                "a",
                "[\n    # nothing yet\n    \"a\",\n]",
            ),
            // Several a line.
            (
                "[\n  \"a\", \"b\",\n  \"d\",\n]",
                "c",
                "[\n  \"a\", \"b\", \"c\",\n  \"d\",\n]",
            ),
            ("[\n  \"a\", \"b\",\n]", "c", "[\n  \"a\", \"b\", \"c\",\n]"),
            ("[\n  \"b\", \"c\",\n]", "a", "[\n  \"a\", \"b\", \"c\",\n]"),
        ] {
            assert_eq!(
                changed(before, |list| list.add(added)),
                after,
                "{before} + {added}"
            );
        }
    }

    #[test]
    fn comments_stay_with_their_packages() {
        let list = "[ # first\n  \"a\", # why a\n  # above c\n  \"c\", # why c\n  # the end\n]";
        assert_eq!(
            changed(list, |list| list.add("b")),
            "[ # first\n  \"a\", # why a\n  \"b\",\n  # above c\n  \"c\", # why c\n  # the end\n]"
        );
        assert_eq!(
            changed(list, |list| list.add("d")),
            "[ # first\n  \"a\", # why a\n  # above c\n  \"c\", # why c\n  # the end\n  \"d\",\n]"
        );
        assert_eq!(
            changed(list, |list| list.add("A")),
            "[ # first\n  \"a\", # why a\n  \"A\",\n  # above c\n  \"c\", # why c\n  # the end\n]"
        );
        assert_eq!(
            changed("[\n  \"a\", # why a\n  \"b\" # why b\n]", |list| list
                .add("c")),
            "[\n  \"a\", # why a\n  \"b\", # why b\n  \"c\"\n]"
        );
        assert_eq!(
            changed("[\"a\", # why\n  \"c\"]", |list| list.add("b")),
            "[\"a\", # why\n  \"b\",\n  \"c\"]"
        );
    }

    #[test]
    fn a_package_is_removed_with_the_comment_behind_it() {
        for (before, index, after) in [
            ("[\"a\", \"b\", \"c\"]", 1, "[\"a\", \"c\"]"),
            ("[ \"a\", \"b\" ]", 0, "[ \"b\" ]"),
            ("[ \"a\", \"b\" ]", 1, "[ \"a\" ]"),
            ("[\"a\",]", 0, "[]"),
            (
                "[\n  \"a\", # why a\n  \"b\", # why b\n]",
                1,
                "[\n  \"a\", # why a\n]",
            ),
            (
                "[\n  \"a\", # why a\n  \"b\", # why b\n]",
                0,
                "[\n  \"b\", # why b\n]",
            ),
            (
                "[\n  \"a\",\n  # above b\n  \"b\", # why b\n  \"c\",\n]",
                1,
                "[\n  \"a\",\n  # above b\n  \"c\",\n]",
            ),
            ("[\n  \"a\",\n  \"b\"\n]", 1, "[\n  \"a\"\n]"),
            (
                "[\n  \"a\", \"b\",\n  \"c\", \"d\",\n]",
                2,
                "[\n  \"a\", \"b\",\n  \"d\",\n]",
            ),
            (
                "[\n  \"a\", \"b\",\n  \"c\", \"d\",\n]",
                1,
                "[\n  \"a\",\n  \"c\", \"d\",\n]",
            ),
        ] {
            let result = changed(before, |list| {
                list.remove(index);
            });
            assert_eq!(result, after, "{before} - {index}");
        }
    }

    #[test]
    fn another_bound_takes_the_place_of_the_one_that_is_there() {
        let after = changed("[\n  'dplyr>=1.0', # the new verbs\n  \"x\",\n]", |list| {
            let at = list.position("dplyr").unwrap();
            assert_eq!(list.replace(at, "dplyr>=1.1"), "dplyr>=1.0");
        });
        assert_eq!(after, "[\n  \"dplyr>=1.1\", # the new verbs\n  \"x\",\n]");
    }

    #[test]
    fn a_long_new_list_is_one_package_a_line() {
        let requests: Vec<String> = (10..40).map(|index| format!("package{index}")).collect();
        let mut array = Array::new();
        PackageList::new(&requests).write(&mut array);
        let text = array.to_string();
        assert_eq!(text.lines().count(), 32, "{text}");
        assert!(text.ends_with("    \"package39\",\n]"), "{text}");
    }
}
