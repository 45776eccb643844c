//! Is the handler's file there? As the runtime looks for it: layers/runtime/r-layer/handler.R.

use super::CodeError;

/// Looks for the file of a handler among the files of a zip: `file.function`, the file's name with `.R` or `.r`;
/// `package::function` needs none; a name without a dot is a function of `runtime.R` or `R/runtime.R`.
pub fn check_handler(handler: &str, files: &[String]) -> Result<(), CodeError> {
    if handler.contains("::") {
        return Ok(());
    }
    let has = |stem: &str| {
        let is_it = |file: &String| {
            file.strip_suffix(".R").or_else(|| file.strip_suffix(".r")) == Some(stem)
        };
        files.iter().any(is_it)
    };
    let mut stems = handler.match_indices('.').map(|(at, _)| &handler[..at]);
    if stems.any(has) || has("runtime") || has("R/runtime") {
        return Ok(());
    }
    let r_files: Vec<&str> = files
        .iter()
        .filter(|file| file.ends_with(".R") || file.ends_with(".r"))
        .map(String::as_str)
        .collect();
    let there = match r_files[..] {
        [] => "there is no R file at all".to_owned(),
        _ => format!("there are: {}", r_files.join(", ")),
    };
    let stem = handler.rsplit_once('.').map_or("file", |(stem, _)| stem);
    Err(CodeError::NoHandler(format!(
        "the handler is `{handler}`, and the code has no {stem}.R ({there}); name it as file.function with --handler, the \
         file without .R"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handlers_file_is_looked_for_as_the_runtime_does() {
        let files: Vec<String> = ["script.R", "sub/lower.r", "with.dot.R", "data.csv"]
            .map(str::to_owned)
            .into();
        for handler in [
            "script.f",
            "sub/lower.f",
            "with.dot.f",
            "script.f.g",
            "pkg::f",
        ] {
            assert!(check_handler(handler, &files).is_ok(), "{handler}");
        }
        for handler in ["other.f", "f", "lower.f", "data.f"] {
            let error = check_handler(handler, &files).unwrap_err().to_string();
            assert!(error.contains("there are: script.R"), "{error}");
        }
        assert!(check_handler("f", &["runtime.R".to_owned()]).is_ok());
        assert!(check_handler("f.g", &[]).is_err());
    }
}
