//! The JSON Schema of the document, generated from its types.

use std::io;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{Schema, SchemaGenerator};

use super::Report;

/// Writes the JSON Schema of [`Report`], indented, and a newline.
///
/// # Errors
/// Those of `out`.
pub fn write_schema(mut out: impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, &schema())?;
    out.write_all(b"\n")
}

/// Of the reader's side: no field is required, so that every document of this version,
/// older or newer, satisfies it.
fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<Report>();
    // Defaults are for Rust readers; in the schema they are noise, and the version of
    // the writer among them would change it with every release.
    let mut without_defaults = RecursiveTransform(|schema: &mut Schema| {
        schema.remove("default");
    });
    without_defaults.transform(&mut schema);
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `OBIT_UPDATE_SCHEMA=1 cargo test schema` writes it anew.
    #[test]
    fn the_published_schema_is_the_one_of_the_types() {
        let mut now = Vec::new();
        write_schema(&mut now).unwrap();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
        if std::env::var_os("OBIT_UPDATE_SCHEMA").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(published, String::from_utf8(now).unwrap(), "{path} is out of date");
    }
}
