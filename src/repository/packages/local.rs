//! Packages of this machine: a tarball, source or binary, and a folder, which is packed.

use std::path::{Path, PathBuf};

use super::fetch::{blocking, hash, validators_of_file};
use super::{Kept, PackageError, PackageFile, PackageOrigin, PackageSources, folder};
use crate::lockfile::BuiltFor;

impl PackageSources<'_> {
    /// A tarball or a folder of this machine. A binary must be built for what is said; without that, a source is
    /// needed.
    pub async fn local(
        &self,
        path: &Path,
        built_for: Option<&BuiltFor>,
    ) -> Result<PackageFile, PackageError> {
        match path.is_dir() {
            true => self.local_folder(path).await,
            false => self.local_file(path, built_for).await,
        }
    }

    /// A tarball of this machine: a source, or a binary that is built for what is said.
    pub async fn local_file(
        &self,
        file: &Path,
        built_for: Option<&BuiltFor>,
    ) -> Result<PackageFile, PackageError> {
        let place = std::path::absolute(file)?;
        let origin = PackageOrigin::LocalFile(file.to_owned());
        let Some(validators) = validators_of_file(&place) else {
            return Err(PackageError::NotAPackage {
                file: file.to_owned(),
                reason: "there is no such file or folder".to_owned(),
            });
        };
        let place_name = place.to_string_lossy();
        let kept = Kept::of(&place_name, self.cache).filter(|kept| kept.validators == validators);
        let known = match kept {
            Some(kept) => self.kept(kept.sha256).await.map(|path| (path, kept.sha256)),
            None => None,
        };
        let (path, sha256) = match known {
            Some(known) => known,
            None => {
                let unfinished = self.cache.unfinished()?;
                let copy = unfinished.path().join("tarball");
                fs_err::copy(&place, &copy)?;
                let sha256 = hash(&copy).await?;
                // It is looked into before it is kept: what is no package is not.
                let found = self.package(copy.clone(), sha256, origin.clone()).await?;
                check_built_for(&found, built_for)?;
                let path = self.keep(&copy, sha256)?;
                let kept = Kept {
                    place: place_name.into_owned(),
                    sha256,
                    validators,
                };
                kept.keep(self.cache)?;
                (path, sha256)
            }
        };
        let found = self.package(path, sha256, origin).await?;
        check_built_for(&found, built_for)?;
        Ok(found)
    }

    /// A package's folder of this machine, packed into a source tarball whose hash is that of what is in it.
    pub async fn local_folder(&self, folder: &Path) -> Result<PackageFile, PackageError> {
        let origin = PackageOrigin::LocalFolder(folder.to_owned());
        self.packed(folder, origin).await
    }

    /// A folder as a package of that origin.
    pub(super) async fn packed(
        &self,
        folder: &Path,
        origin: PackageOrigin,
    ) -> Result<PackageFile, PackageError> {
        let unfinished = self.cache.unfinished()?;
        let tarball = unfinished.path().join("tarball");
        let (from, to) = (folder.to_owned(), tarball.clone());
        let known_as = PathBuf::from(origin.to_string());
        blocking(move || folder::pack(&from, &known_as, &to)).await?;
        let sha256 = hash(&tarball).await?;
        let path = self.keep(&tarball, sha256)?;
        self.package(path, sha256, origin).await
    }
}

fn check_built_for(found: &PackageFile, built_for: Option<&BuiltFor>) -> Result<(), PackageError> {
    let known_as = found.known_as();
    let contents = super::PackageContents::of_text(found.description.clone(), &known_as)?;
    contents.check_built_for(built_for, &known_as)
}
