//! From tokens to the packages that they ask for.

use super::tokens::{Placed, Token};

/// A function that is told a package.
struct Loader {
    name: &'static str,
    /// Of which package it is, where that is said: `base::library`.
    package: &'static str,
    /// The argument that is the package's name.
    argument: &'static str,
    takes: Takes,
}

/// What stands for a package in a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// A name, or a string: `library(MASS)`. With `character.only = TRUE` names are variables.
    Names,
    /// A string: `loadNamespace("MASS")`.
    Strings,
    /// Any number of names and strings: `p_load(MASS, "boot")`.
    Many,
}

const fn base(name: &'static str, argument: &'static str, takes: Takes) -> Loader {
    Loader {
        name,
        package: "base",
        argument,
        takes,
    }
}

/// The functions that are told packages. layers/proof/used_packages.R has the same.
const LOADERS: [Loader; 8] = [
    base("library", "package", Takes::Names),
    base("require", "package", Takes::Names),
    base("requireNamespace", "package", Takes::Strings),
    base("loadNamespace", "package", Takes::Strings),
    base("attachNamespace", "ns", Takes::Strings),
    base("getNamespace", "name", Takes::Strings),
    base("use", "package", Takes::Strings),
    Loader {
        name: "p_load",
        package: "pacman",
        argument: "",
        takes: Takes::Many,
    },
];

/// The packages that code asks for: (package, line).
pub fn uses(tokens: &[Placed]) -> Vec<(String, usize)> {
    let mut uses = Vec::new();
    for (at, (token, line)) in tokens.iter().enumerate() {
        let (Token::Name(name) | Token::Text(name)) = token else {
            continue;
        };
        match tokens.get(at + 1) {
            Some((Token::Namespace, _)) => uses.push((name.clone(), *line)),
            Some((Token::Other('('), _)) if matches!(token, Token::Name(_)) => {
                let loader = LOADERS.iter().find(|loader| loader.name == name);
                if let Some(loader) = loader.filter(|loader| is_of(loader, &tokens[..at])) {
                    let packages = packages(loader, &arguments(&tokens[at + 2..]));
                    uses.extend(packages.into_iter().map(|package| (package, *line)));
                }
            }
            _ => {}
        }
    }
    uses
}

/// Is it the function, and not one of another package, or a part of an object, by what stands before it?
fn is_of(loader: &Loader, before: &[Placed]) -> bool {
    let mut before = before.iter().rev().map(|(token, _)| token);
    match before.next() {
        Some(Token::Namespace) => match before.next() {
            Some(Token::Name(package) | Token::Text(package)) => package == loader.package,
            _ => false,
        },
        Some(Token::Other('$' | '@')) => false,
        _ => true,
    }
}

/// An argument: its name, and the tokens of its value.
struct Argument<'a> {
    name: Option<&'a str>,
    value: Vec<&'a Token>,
}

/// The arguments of a call, from the tokens after its `(` on.
fn arguments(tokens: &[Placed]) -> Vec<Argument<'_>> {
    let mut parts: Vec<Vec<&Token>> = vec![Vec::new()];
    let mut depth = 0;
    for (token, _) in tokens {
        match token {
            Token::Other('(' | '[' | '{') => depth += 1,
            Token::Other(')' | ']' | '}') if depth == 0 => break,
            Token::Other(')' | ']' | '}') => depth -= 1,
            Token::Other(',') if depth == 0 => {
                parts.push(Vec::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(token);
        }
    }
    let arguments = parts.into_iter().map(|part| match part[..] {
        [Token::Name(name) | Token::Text(name), Token::Equals, ..] => Argument {
            name: Some(name),
            value: part[2..].to_vec(),
        },
        _ => Argument {
            name: None,
            value: part,
        },
    });
    arguments.collect()
}

fn packages(loader: &Loader, arguments: &[Argument<'_>]) -> Vec<String> {
    let names_count = loader.takes != Takes::Strings && !names_are_variables(arguments);
    let package = |argument: &Argument<'_>| match argument.value[..] {
        [Token::Text(text)] => Some(text.clone()),
        [Token::Name(name)] if names_count => Some(name.clone()),
        _ => None,
    };
    let mut unnamed = arguments.iter().filter(|argument| argument.name.is_none());
    if loader.takes == Takes::Many {
        return unnamed.filter_map(package).collect();
    }
    let mut named = arguments
        .iter()
        .filter(|argument| argument.name == Some(loader.argument));
    let argument = named.next().or_else(|| unnamed.next());
    argument.and_then(package).into_iter().collect()
}

/// Is `character.only` anything but FALSE?
fn names_are_variables(arguments: &[Argument<'_>]) -> bool {
    let is_false =
        |value: &[&Token]| matches!(value, [Token::Name(name)] if name == "FALSE" || name == "F");
    arguments
        .iter()
        .any(|argument| argument.name == Some("character.only") && !is_false(&argument.value))
}
