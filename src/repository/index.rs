//! Indexes of repositories: `PACKAGES.gz`, else `PACKAGES`, of all of them at once, kept in the cache and asked for
//! again only as far as they changed.

use std::fmt;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::credentials_hint::{credentials_hint, short_outcome};
use super::packages::PackageSources;
use super::{ContribFolder, Location, RepositorySet};
use crate::cache::CacheError;
use crate::checksum::Sha256;
use crate::http::{HttpError, Validators};
use crate::lockfile::BuiltFor;
use crate::progress::{Reporter as _, Silent};

/// The cache's entries of this: a file for each folder, by the hash of its URL; a line of JSON, then the index's text.
const KIND: &str = "indexes";

/// The names under which repositories have their index, the smaller first.
const NAMES: [&str; 2] = ["PACKAGES.gz", "PACKAGES"];

/// The most that an index may unpack to: CRAN's has some ten MB.
const LARGEST: u64 = 1 << 29;

/// An index that was had.
#[derive(Clone, Debug)]
pub struct IndexText {
    /// Of which packages.
    pub folder: ContribFolder,
    /// Its text: records of Debian control format.
    pub text: String,
    /// Whether it was fetched.
    pub state: IndexState,
}

/// Where an index came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexState {
    /// From the repository, now.
    Fetched,
    /// From the cache; the repository says that it is the same.
    Unchanged,
    /// From the cache, which alone is used.
    Kept,
}

/// Indexes of several repositories.
#[derive(Debug, Default)]
pub struct Indexes {
    /// Those that were had, in the order of the repositories, of each the binaries' first.
    pub texts: Vec<IndexText>,
    /// What was not had, in the same order.
    pub problems: Vec<IndexProblem>,
}

/// An index that was not had.
#[derive(Debug, thiserror::Error)]
#[error("the repository {repository} ({location}): {reason}", repository = .folder.repository)]
pub struct IndexProblem {
    /// Of which packages.
    pub folder: ContribFolder,
    /// The file that was asked for.
    pub location: String,
    /// What came of it.
    pub reason: IndexError,
}

/// Why an index was not had.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is none, under either name.
    #[error(
        "there is no PACKAGES.gz and no PACKAGES; is that the folder in which the repository has `src/contrib`? \
         In a folder of your own, tools::write_PACKAGES() makes one"
    )]
    NotThere,
    /// The server wants to know who asks; what to type.
    #[error("{0}")]
    Unauthorized(String),
    /// It cannot be reached, or does not answer with a file.
    #[error("{reason}{}", if *.kept { "; --offline would use the index that was fetched earlier" } else { "" })]
    Unreachable {
        /// What happened.
        reason: String,
        /// Does the cache have an earlier one?
        kept: bool,
    },
    /// A web page, as a portal or proxy answers with.
    #[error(
        "a web page is there, not an index: {0}. Does a portal want a log-in, or is the URL that of a page about the \
         repository?"
    )]
    Page(String),
    /// It ends early, or its checksum is wrong.
    #[error("the index is damaged or truncated: {0}")]
    Damaged(String),
    /// Nothing is in it.
    #[error("the index is empty: no package is in it")]
    Empty,
    /// Something else.
    #[error("what is there is not an index of packages: it begins with `{0}`")]
    NotAnIndex(String),
    /// The cache alone is used, and has it not.
    #[error(
        "its index is not in the cache, and --offline uses nothing else; run the same once without --offline"
    )]
    NotKept,
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A file of this machine.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl IndexError {
    /// May the index be there under its other name?
    fn may_be_elsewhere(&self) -> bool {
        matches!(
            self,
            IndexError::NotThere
                | IndexError::Page(_)
                | IndexError::Damaged(_)
                | IndexError::Empty
                | IndexError::NotAnIndex(_)
        )
    }
}

/// The line before an index in the cache.
#[derive(Serialize, Deserialize)]
struct KeptIndex {
    folder: String,
    name: String,
    #[serde(flatten)]
    validators: Validators,
}

impl PackageSources<'_> {
    /// The indexes of repositories: of their sources, and of their binaries for that R and processor. What is wrong
    /// with one does not keep the others from being had.
    pub async fn indexes(
        &self,
        repositories: &RepositorySet,
        built_for: Option<&BuiltFor>,
    ) -> Indexes {
        let folders = repositories.iter();
        let folders: Vec<ContribFolder> = folders
            .flat_map(|repository| repository.folders(built_for))
            .collect();
        let outcomes = join_all(folders.iter().map(|folder| self.index(folder))).await;
        let mut indexes = Indexes::default();
        for outcome in outcomes {
            match outcome {
                Ok(text) => indexes.texts.push(text),
                Err(problem) => indexes.problems.push(problem),
            }
        }
        indexes
    }

    /// The index of one folder.
    pub async fn index(&self, folder: &ContribFolder) -> Result<IndexText, IndexProblem> {
        let had = match folder.at(NAMES[0]) {
            Location::File(_) => local_index(folder),
            Location::Url(_) if self.offline => self.kept_index(folder),
            Location::Url(_) => self.fetched_index(folder).await,
        };
        had.map(|(text, state)| IndexText {
            folder: folder.clone(),
            text,
            state,
        })
        .map_err(|(name, reason)| IndexProblem {
            folder: folder.clone(),
            location: folder.at(name).to_string(),
            reason,
        })
    }

    fn kept_index(&self, folder: &ContribFolder) -> Had {
        match self.read_kept(folder) {
            Some((_, text)) => Ok((text, IndexState::Kept)),
            None => Err((NAMES[0], IndexError::NotKept)),
        }
    }

    fn read_kept(&self, folder: &ContribFolder) -> Option<(KeptIndex, String)> {
        let content = self.cache.read(KIND, &entry_name(folder))?;
        let mut text = String::from_utf8(content).ok()?;
        let line = text.find('\n')?;
        let kept: KeptIndex = serde_json::from_str(&text[..line]).ok()?;
        text.drain(..=line);
        (kept.folder == folder.to_string()).then_some((kept, text))
    }

    async fn fetched_index(&self, folder: &ContribFolder) -> Had {
        let kept = self.read_kept(folder);
        // Under the name that it was had by, it is asked for first: most likely it is still the same.
        let names = match kept.as_ref().map(|(kept, _)| kept.name.as_str()) {
            Some(name) if name == NAMES[1] => [NAMES[1], NAMES[0]],
            _ => NAMES,
        };
        let mut first = None;
        for name in names {
            let known = kept.as_ref().filter(|(kept, _)| kept.name == name);
            let unless = known.map(|(kept, _)| kept.validators.clone());
            match self
                .fetch_index(folder, name, &unless.unwrap_or_default())
                .await
            {
                Ok(Some(text)) => return Ok((text, IndexState::Fetched)),
                Ok(None) => {
                    let text = kept.map(|(_, text)| text).unwrap_or_default();
                    return Ok((text, IndexState::Unchanged));
                }
                Err(IndexError::Unreachable { reason, .. }) => {
                    let kept = kept.is_some();
                    return Err((name, IndexError::Unreachable { reason, kept }));
                }
                Err(error) if error.may_be_elsewhere() => keep_telling(&mut first, name, error),
                Err(error) => return Err((name, error)),
            }
        }
        Err(first.unwrap_or((NAMES[0], IndexError::NotThere)))
    }

    /// Nothing if it is the one that the cache has.
    async fn fetch_index(
        &self,
        folder: &ContribFolder,
        name: &str,
        unless: &Validators,
    ) -> Result<Option<String>, IndexError> {
        let url = folder.at(name).to_string();
        let unfinished = self.cache.unfinished()?;
        let path = unfinished.path().join("index");
        let task = Silent.begin(&url, None);
        self.reporter.detail(&format!("fetching {url}"));
        let fetched = self.http.download_unless(unless, &url, &path, &*task).await;
        let headers = match fetched {
            Ok(Some(headers)) => headers,
            Ok(None) => return Ok(None),
            Err(error) => return Err(not_fetched(error, &url, folder)),
        };
        let decoded = tokio::task::spawn_blocking(move || read_index(&path));
        let text = decoded.await.map_err(std::io::Error::other)??;
        drop(unfinished);
        let kept = KeptIndex {
            folder: folder.to_string(),
            name: name.to_owned(),
            validators: Validators::of(&headers),
        };
        let mut content = serde_json::to_vec(&kept).unwrap_or_default();
        content.push(b'\n');
        content.extend_from_slice(text.as_bytes());
        self.cache.put(KIND, &entry_name(folder), &content)?;
        Ok(Some(text))
    }
}

/// A text and where it came from, or the name under which it was not had, and why.
type Had = Result<(String, IndexState), (&'static str, IndexError)>;

/// What is wrong with a file says more than that there is none by another name.
fn keep_telling(
    first: &mut Option<(&'static str, IndexError)>,
    name: &'static str,
    error: IndexError,
) {
    if matches!(first, None | Some((_, IndexError::NotThere))) {
        *first = Some((name, error));
    }
}

fn entry_name(folder: &ContribFolder) -> String {
    Sha256::of(folder.to_string().as_bytes()).to_string()
}

fn not_fetched(error: HttpError, url: &str, folder: &ContribFolder) -> IndexError {
    match error {
        HttpError::NotFound { .. } => IndexError::NotThere,
        // Object stores say so of what is not there; but then nothing of the repository can be had.
        HttpError::Unauthorized { status, .. } => {
            IndexError::Unauthorized(credentials_hint(status, url, &folder.repository))
        }
        HttpError::NotSaved { source, .. } => IndexError::Io(source),
        other => IndexError::Unreachable {
            reason: short_outcome(&other),
            kept: false,
        },
    }
}

fn local_index(folder: &ContribFolder) -> Had {
    let mut first = None;
    for name in NAMES {
        let Location::File(path) = folder.at(name) else {
            continue;
        };
        let read = match path.is_file() {
            true => read_index(&path),
            false => Err(IndexError::NotThere),
        };
        match read {
            Ok(text) => return Ok((text, IndexState::Fetched)),
            Err(error) if error.may_be_elsewhere() => keep_telling(&mut first, name, error),
            Err(error) => return Err((name, error)),
        }
    }
    Err(first.unwrap_or((NAMES[0], IndexError::NotThere)))
}

/// The text of an index, compressed or, as some servers and proxies unpack it on its way, not.
fn read_index(path: &Path) -> Result<String, IndexError> {
    let content = fs_err::read(path)?;
    let text = match content.as_slice() {
        [0x1f, 0x8b, ..] => gunzip(&content)?,
        _ => content,
    };
    let text = match String::from_utf8(text) {
        Ok(text) => text,
        // Old packages name their authors in other encodings.
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    check_text(&text)?;
    Ok(text)
}

fn gunzip(content: &[u8]) -> Result<Vec<u8>, IndexError> {
    let mut text = Vec::with_capacity(content.len().saturating_mul(5));
    let mut reader = MultiGzDecoder::new(content).take(LARGEST + 1);
    reader
        .read_to_end(&mut text)
        .map_err(|error| IndexError::Damaged(error.to_string()))?;
    if text.len() as u64 > LARGEST {
        let reason = format!("it unpacks to more than {} MB", LARGEST >> 20);
        return Err(IndexError::Damaged(reason));
    }
    Ok(text)
}

/// Does it begin as a record does? What is wrong with single records, their reader says.
fn check_text(text: &str) -> Result<(), IndexError> {
    let Some(line) = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
    else {
        return Err(IndexError::Empty);
    };
    let shown = || line.chars().take(60).collect::<String>();
    if line.starts_with('<') {
        return Err(IndexError::Page(page_title(text).unwrap_or_else(shown)));
    }
    let is_field = |name: &str| {
        let good =
            |character: char| character.is_ascii_alphanumeric() || "-_/@.".contains(character);
        !name.is_empty() && name.chars().all(good)
    };
    match line.split_once(':') {
        Some((name, _)) if is_field(name) => Ok(()),
        _ => Err(IndexError::NotAnIndex(shown())),
    }
}

/// `Please log in`, of a page that says so in its title.
fn page_title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = start + lower[start..].find("</title>")?;
    let title: String = page[start..end].trim().chars().take(60).collect();
    (!title.is_empty()).then(|| format!("«{title}»"))
}

impl fmt::Display for IndexState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IndexState::Fetched => "fetched",
            IndexState::Unchanged => "unchanged",
            IndexState::Kept => "from the cache",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_index_is_said() {
        assert!(check_text("\nPackage: ab\nVersion: 1\n").is_ok());
        assert!(matches!(check_text(" \n\n"), Err(IndexError::Empty)));
        let error = check_text("<!DOCTYPE html>\n<TITLE> Log in </TITLE>").unwrap_err();
        assert!(
            matches!(&error, IndexError::Page(title) if title == "«Log in»"),
            "{error}"
        );
        let error = check_text("{\"error\": 1}").unwrap_err().to_string();
        assert!(error.contains("begins with `{\"error\": 1}`"), "{error}");
    }

    #[test]
    fn a_truncated_index_is_damaged_and_not_shorter() {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&b"Package: ab\nVersion: 1\n\n".repeat(1000))
            .unwrap();
        let whole = gzip.finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("PACKAGES.gz");
        fs_err::write(&path, &whole).unwrap();
        assert_eq!(read_index(&path).unwrap().len(), 24_000);
        for length in [whole.len() - 1, whole.len() / 2] {
            fs_err::write(&path, &whole[..length]).unwrap();
            assert!(matches!(read_index(&path), Err(IndexError::Damaged(_))));
        }
    }

    #[test]
    fn names_in_other_encodings_do_not_spoil_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("PACKAGES");
        fs_err::write(&path, b"Package: ab\nAuthor: J\xf6rg\n").unwrap();
        assert!(read_index(&path).unwrap().starts_with("Package: ab"));
    }
}
