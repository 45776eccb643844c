//! Tables of the manifest's tables, `[layers.NAME]` and `[repositories.NAME]`: put in and taken out with the comments
//! around them where they belong.

use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

/// Puts a new table into one of the manifest's, in the form that its others have.
pub fn insert_section(document: &mut DocumentMut, group: &str, name: &str, mut section: Table) {
    let is_first = document.is_empty() && document.trailing().as_str().is_none_or(str::is_empty);
    let sections = document.entry(group).or_insert_with(|| {
        let mut sections = Table::new();
        sections.set_implicit(true);
        Item::Table(sections)
    });
    if let Some(sections) = sections.as_inline_table_mut() {
        let section: InlineTable = section.into_inline_table();
        sections.insert(name, Value::InlineTable(section));
        return;
    }
    let Some(sections) = sections.as_table_mut() else {
        return;
    };
    if sections.is_dotted() {
        section.set_dotted(true);
    } else if !is_first {
        section.decor_mut().set_prefix("\n");
    }
    sections.insert(name, Item::Table(section));
    put_behind_the_end(document, group, name);
}

/// Comments at the end of the file belong to what stands above them: a table that comes last goes behind them.
fn put_behind_the_end(document: &mut DocumentMut, group: &str, name: &str) {
    let end = document.trailing().as_str().unwrap_or_default().to_owned();
    if end.trim().is_empty() {
        return;
    }
    let header = format!("[{group}.{name}]\n");
    let text = document.to_string();
    let is_last = text.find(&header).is_some_and(|at| {
        !text[at + header.len()..]
            .lines()
            .any(|line| line.starts_with('['))
    });
    let section = document
        .get_mut(group)
        .and_then(|group| group.get_mut(name));
    if let (true, Some(section)) = (is_last, section.and_then(Item::as_table_mut)) {
        let gap = if end.ends_with('\n') { "\n" } else { "\n\n" };
        section.decor_mut().set_prefix(format!("{end}{gap}"));
        document.set_trailing("");
    }
}

/// Takes a table out of one of the manifest's, with the comment right above it; what is parted from it by an empty line stays.
pub fn remove_section(document: &mut DocumentMut, group: &str, name: &str) {
    let Some(sections) = document.get_mut(group).and_then(Item::as_table_like_mut) else {
        return;
    };
    let removed = sections.remove(name);
    if sections.is_empty() {
        document.remove(group);
    }
    let Some(Item::Table(removed)) = removed else {
        return;
    };
    let above = removed
        .decor()
        .prefix()
        .and_then(|raw| raw.as_str())
        .unwrap_or_default();
    if let Some(end) = above.rfind("\n\n")
        && !above[..end].trim().is_empty()
    {
        keep_comment(document, removed.position(), &above[..end + 1]);
    }
}

/// Puts a comment before the table that comes next behind a position, or at the end.
fn keep_comment(document: &mut DocumentMut, position: Option<isize>, comment: &str) {
    let mut next: Option<&mut Table> = None;
    let mut open: Vec<&mut Table> = vec![document.as_table_mut()];
    while let Some(table) = open.pop() {
        let is_behind = table.position() > position && !table.is_implicit();
        let mut nested = Vec::new();
        if is_behind
            && next
                .as_ref()
                .is_none_or(|next| table.position() < next.position())
        {
            next = Some(table);
            continue;
        }
        nested.extend(table.iter_mut().filter_map(|(_, item)| item.as_table_mut()));
        open.extend(nested);
    }
    match next {
        Some(table) => {
            let own = table
                .decor()
                .prefix()
                .and_then(|raw| raw.as_str())
                .unwrap_or_default();
            let prefix = format!("{comment}{own}");
            table.decor_mut().set_prefix(prefix);
        }
        None => {
            let end = document.trailing().as_str().unwrap_or_default();
            let trailing = format!("{comment}{end}");
            document.set_trailing(trailing);
        }
    }
}
