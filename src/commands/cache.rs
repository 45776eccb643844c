//! `r-layer cache show` and `r-layer cache clean`.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::cache::{Cache, CacheEntry, CacheKind, Cleaned};
use crate::cli::CleanArgs;
use crate::terminal::{bar, human_size};

/// How many of the largest entries are named.
const LARGEST: usize = 10;

/// What the cache holds, as it is printed.
#[derive(Debug, Serialize)]
pub struct Shown {
    folder: PathBuf,
    size: u64,
    free: Option<u64>,
    kinds: Vec<CacheKind>,
    largest: Vec<CacheEntry>,
}

/// Looks at the cache.
pub fn show() -> Result<Shown> {
    let cache = Cache::from_environment()?;
    let mut entries = entries(&cache)?;
    let kinds = CacheKind::of(&entries);
    entries.truncate(LARGEST);
    Ok(Shown {
        folder: cache.folder().to_owned(),
        size: kinds.iter().map(|kind| kind.size).sum(),
        free: cache.room()?,
        kinds,
        largest: entries,
    })
}

fn entries(cache: &Cache) -> Result<Vec<CacheEntry>> {
    let folder = cache.folder().display();
    cache
        .entries()
        .with_context(|| format!("the cache at {folder} cannot be looked through"))
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free = self.free.map(human_size);
        let free = free.map_or_else(String::new, |free| format!(", {free} free on its disk"));
        writeln!(
            f,
            "{}: {}{free}",
            self.folder.display(),
            human_size(self.size)
        )?;
        let greatest = self.kinds.first().map_or(0, |kind| kind.size);
        for CacheKind {
            kind,
            entries,
            size,
        } in &self.kinds
        {
            let line = format!(
                "  {kind:<12} {entries:>6}  {:>9}  {}",
                human_size(*size),
                bar(*size, greatest, 24)
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        if !self.largest.is_empty() {
            writeln!(f, "\nthe largest entries")?;
        }
        for entry in &self.largest {
            let (size, used) = (human_size(entry.size), used(entry));
            writeln!(f, "  {size:>9}  {}/{}  {used}", entry.kind, entry.name)?;
        }
        Ok(())
    }
}

fn used(entry: &CacheEntry) -> String {
    match entry.days_unused {
        Some(0) => "used today".to_owned(),
        Some(1) => "used yesterday".to_owned(),
        Some(days) => format!("used {days} days ago"),
        None => String::new(),
    }
}

/// What was removed, as it is printed.
#[derive(Debug, Serialize)]
pub struct CleanedUp {
    dry_run: bool,
    freed: u64,
    removed: Vec<CacheEntry>,
    left: Vec<LeftEntry>,
}

#[derive(Debug, Serialize)]
struct LeftEntry {
    kind: String,
    name: String,
    reason: String,
    #[serde(skip)]
    is_fault: bool,
}

/// Makes the cache smaller.
pub fn clean(args: &CleanArgs) -> Result<CleanedUp> {
    let cache = Cache::from_environment()?;
    let entries = entries(&cache)?;
    check_kinds(&args.kinds, &entries)?;
    let wanted = entries.into_iter().filter(|entry| {
        let is_old = |days| entry.is_unused_for(days);
        (args.kinds.is_empty() || args.kinds.contains(&entry.kind))
            && args.older_than.is_none_or(is_old)
    });
    let mut cleaned = CleanedUp {
        dry_run: args.dry_run,
        freed: 0,
        removed: Vec::new(),
        left: Vec::new(),
    };
    for entry in wanted {
        let outcome = match args.dry_run {
            true => cache.would_clean(&entry),
            false => cache.clean(&entry),
        };
        match outcome {
            Cleaned::Removed => {
                cleaned.freed += entry.size;
                cleaned.removed.push(entry);
            }
            Cleaned::Left(left) => cleaned.left.push(LeftEntry {
                reason: left.to_string(),
                is_fault: !left.is_in_use(),
                kind: entry.kind,
                name: entry.name,
            }),
        }
    }
    Ok(cleaned)
}

/// Kinds that r-layer makes, which there may be none of at the moment.
const KINDS: [&str; 6] = [
    "compiled",
    "downloads",
    "logs",
    "packages",
    "roots",
    "unpacked",
];

fn check_kinds(asked: &[String], entries: &[CacheEntry]) -> Result<()> {
    let mut known: Vec<&str> = KINDS.to_vec();
    known.extend(entries.iter().map(|entry| entry.kind.as_str()));
    known.sort_unstable();
    known.dedup();
    match asked.iter().find(|kind| !known.contains(&kind.as_str())) {
        Some(unknown) => bail!(
            "the cache keeps no `{unknown}`; there are: {}",
            known.join(", ")
        ),
        None => Ok(()),
    }
}

impl CleanedUp {
    /// Could something not be removed for another reason than that it is in use?
    pub fn has_fault(&self) -> bool {
        self.left.iter().any(|left| left.is_fault)
    }
}

impl fmt::Display for CleanedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.removed {
            let size = human_size(entry.size);
            writeln!(
                f,
                "  {size:>9}  {}/{}  {}",
                entry.kind,
                entry.name,
                used(entry)
            )?;
        }
        for left in &self.left {
            writeln!(f, "  left: {}/{}: {}", left.kind, left.name, left.reason)?;
        }
        let verb = if self.dry_run { "would free" } else { "freed" };
        let (count, freed) = (self.removed.len(), human_size(self.freed));
        let entries = if count == 1 { "entry" } else { "entries" };
        writeln!(f, "{verb} {freed} ({count} {entries})")
    }
}
