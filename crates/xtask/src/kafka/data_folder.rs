//! Where a cluster keeps its records, keys and logs.

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::random;

/// A folder that is the cluster's alone. Removed when dropped, unless somebody named it.
pub(crate) struct DataFolder {
    path: PathBuf,
    is_temporary: bool,
}

impl DataFolder {
    /// Opens the folder that was named, or makes one.
    pub(crate) fn open(named: Option<&Path>) -> Result<Self, String> {
        let path = match named {
            Some(path) => std::path::absolute(path)
                .map_err(|error| format!("cannot use {}: {error}", path.display()))?,
            None => std::env::temp_dir().join(format!("tidegate-kafka-{}", random::hex(6)?)),
        };
        // It holds a password.
        fs::DirBuilder::new()
            .recursive(named.is_some())
            .mode(0o700)
            .create(&path)
            .map_err(|error| format!("cannot create {}: {error}", path.display()))?;
        Ok(Self {
            path,
            is_temporary: named.is_none(),
        })
    }

    /// Returns the path, absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Tells whether the folder goes with the cluster.
    pub(crate) fn is_temporary(&self) -> bool {
        self.is_temporary
    }

    /// Makes sure that the folder is empty, or holds a cluster of that many brokers.
    pub(crate) fn check_brokers(&self, brokers: u8) -> Result<(), String> {
        let mut entries = fs::read_dir(&self.path)
            .map_err(|error| format!("cannot read {}: {error}", self.path.display()))?;
        if entries.next().is_none() {
            return self.write("brokers", &brokers.to_string());
        }
        let found = fs::read_to_string(self.path.join("brokers")).map_err(|_| {
            format!(
                "{} is not empty and holds no cluster: name a new folder with --data",
                self.path.display()
            )
        })?;
        match found == brokers.to_string() {
            true => Ok(()),
            false => Err(format!(
                "{} holds a cluster with --brokers {found}: use that, or another folder with --data",
                self.path.display()
            )),
        }
    }

    /// Returns what a file of the folder holds, making it up if there is none.
    pub(crate) fn read_or_make(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<String, String>,
    ) -> Result<String, String> {
        if let Ok(found) = fs::read_to_string(self.path.join(name)) {
            return Ok(found);
        }
        let made = make()?;
        self.write(name, &made)?;
        Ok(made)
    }

    /// Writes a file of the folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        if !self.is_temporary {
            return;
        }
        if let Err(error) = fs::remove_dir_all(&self.path) {
            eprintln!("warning: cannot remove {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_for_one_number_of_brokers() {
        let folder = DataFolder::open(None).unwrap();
        let check = |brokers, expected: Option<&str>| {
            let error = folder.check_brokers(brokers).err();
            let expected = expected.map(|rest| format!("{} {rest}", folder.path().display()));
            assert_eq!(error, expected);
        };
        check(1, None);
        check(1, None);
        check(
            3,
            Some("holds a cluster with --brokers 1: use that, or another folder with --data"),
        );
        fs::remove_file(folder.path().join("brokers")).unwrap();
        folder.write("letter.txt", "not ours").unwrap();
        check(
            1,
            Some("is not empty and holds no cluster: name a new folder with --data"),
        );
    }

    #[test]
    fn a_folder_that_nobody_named_goes() {
        let folder = DataFolder::open(None).unwrap();
        let path = folder.path().to_owned();
        assert!(path.is_dir());
        drop(folder);
        assert!(!path.exists());
    }
}
