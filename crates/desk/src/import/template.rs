//! Templates: `Killed: {best}[, purpose {electoral_purpose}]`.

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text that stands for itself.
    Text(&'a str),
    /// The text of a column.
    Column(&'a str),
    /// A part that stands only if all its columns hold something.
    Optional(Vec<Piece<'a>>),
}

/// Splits a template; `None` when a bracket or brace has no partner. Optional parts do not nest.
pub(super) fn pieces(template: &str) -> Option<Vec<Piece<'_>>> {
    let mut whole = Vec::new();
    let mut optional: Option<Vec<Piece<'_>>> = None;
    let mut rest = template;
    while !rest.is_empty() {
        let into = optional.as_mut().unwrap_or(&mut whole);
        let special = rest.find(['{', '}', '[', ']']).unwrap_or(rest.len());
        if special > 0 {
            into.push(Piece::Text(&rest[..special]));
            rest = &rest[special..];
            continue;
        }
        // The four marks are one byte each.
        let (mark, after) = rest.split_at(1);
        if let Some(after) = after.strip_prefix(mark) {
            into.push(Piece::Text(mark));
            rest = after;
            continue;
        }
        rest = after;
        match mark {
            "{" => {
                let (column, after) = rest.split_once('}')?;
                if column.is_empty() || column.contains(['{', '[', ']']) {
                    return None;
                }
                into.push(Piece::Column(column));
                rest = after;
            }
            "[" if optional.is_none() => optional = Some(Vec::new()),
            "]" => whole.push(Piece::Optional(optional.take()?)),
            _ => return None,
        }
    }
    optional.is_none().then_some(whole)
}

/// The columns that a template names.
pub(super) fn columns(template: &str) -> Vec<&str> {
    fn collect<'a>(pieces: &[Piece<'a>], columns: &mut Vec<&'a str>) {
        for piece in pieces {
            match piece {
                Piece::Text(_) => {}
                Piece::Column(column) => columns.push(column),
                Piece::Optional(pieces) => collect(pieces, columns),
            }
        }
    }
    let mut columns = Vec::new();
    collect(&pieces(template).unwrap_or_default(), &mut columns);
    columns
}

/// Fills a template. A column that holds nothing leaves nothing in its place.
pub(super) fn fill<'c>(template: &str, cell: &dyn Fn(&str) -> Option<&'c str>) -> String {
    fn write<'c>(pieces: &[Piece<'_>], cell: &dyn Fn(&str) -> Option<&'c str>, text: &mut String) -> bool {
        let mut complete = true;
        for piece in pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Column(column) => match cell(column) {
                    Some(value) => text.push_str(value),
                    None => complete = false,
                },
                Piece::Optional(pieces) => {
                    let before = text.len();
                    if !write(pieces, cell, text) {
                        text.truncate(before);
                    }
                }
            }
        }
        complete
    }
    let mut text = String::new();
    write(&pieces(template).unwrap_or_default(), cell, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> String {
        fill(template, &|column| match column {
            "best" => Some("3"),
            "who" => Some("[a] {b}"),
            _ => None,
        })
    }

    #[test]
    fn templates() {
        assert_eq!(filled("{best} killed[ for {why}][ by {who}] {why}."), "3 killed by [a] {b} .");
        assert_eq!(filled("[[{{{best}}}]]"), "[{3}]");
        assert_eq!(columns("a {b}[ {c} d] {b}"), ["b", "c", "b"]);
        for broken in ["{", "}", "{}", "{a", "[", "]", "[a[b]]c]", "{a[b}", "[{a]}"] {
            assert_eq!(pieces(broken), None, "{broken}");
        }
        assert_eq!(pieces(""), Some(vec![]));
    }
}
