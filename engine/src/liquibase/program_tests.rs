//! The cache of the compiled driver, without Java. `tests/runtime.rs` breaks one that is used.
#![allow(clippy::unwrap_used)]

use super::*;

fn entry(folder: &Path, jar: &[u8]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(JAR), jar).unwrap();
    std::fs::write(folder.join(HASH), hex(&Sha256::digest(jar))).unwrap();
    folder.to_owned()
}

#[test]
fn an_entry_is_whole_with_the_jar_that_was_made() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!is_whole(folder.path()));
    let entry = entry(folder.path(), b"driver");
    assert!(is_whole(&entry));
    std::fs::write(entry.join(JAR), b"drive").unwrap();
    assert!(!is_whole(&entry));
    std::fs::remove_file(entry.join(HASH)).unwrap();
    assert!(!is_whole(&entry));
}

#[test]
fn a_broken_entry_is_replaced_and_a_whole_one_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place");
    let read = || std::fs::read_to_string(place.join(JAR)).unwrap();
    publish(&entry(&folder.path().join("a"), b"first"), &place).unwrap();
    assert_eq!(read(), "first");
    publish(&entry(&folder.path().join("b"), b"second"), &place).unwrap();
    assert_eq!(read(), "first");
    std::fs::write(place.join(JAR), b"torn").unwrap();
    publish(&entry(&folder.path().join("c"), b"third"), &place).unwrap();
    assert_eq!(read(), "third");
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::write(&place, "no folder").unwrap();
    publish(&entry(&folder.path().join("d"), b"fourth"), &place).unwrap();
    assert_eq!(read(), "fourth");
}

#[test]
fn another_java_and_other_jars_have_entries_of_their_own() {
    use std::slice::from_ref;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    let (java, jar) = (file("java/bin/java", "java"), file("lib/a.jar", "a"));
    let first = key(&java, from_ref(&jar)).unwrap();
    assert_eq!(first.len(), 16);
    assert_eq!(key(&java, from_ref(&jar)).unwrap(), first);
    assert_ne!(key(&java, &[jar.clone(), file("lib/b.jar", "b")]).unwrap(), first);
    file("java/release", "JAVA_VERSION=\"21\"");
    let second = key(&java, from_ref(&jar)).unwrap();
    assert_ne!(second, first);
    file("lib/a.jar", "another");
    assert_ne!(key(&java, from_ref(&jar)).unwrap(), second);
    assert!(key(&folder.path().join("nothing"), &[jar]).is_err());
}

#[test]
fn every_source_of_the_driver_is_compiled() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/liquibase/driver");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(files, SOURCES.map(|(name, _)| name.to_owned()));
}
