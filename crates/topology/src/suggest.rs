//! "Did you mean …": the known word that is closest to a misspelt one.

use taoyao_types::limits::NAME_BYTES_MAX;

/// The word of `known` that `word` is a likely misspelling of.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let allowed = (length / 3).clamp(1, 3);
    known
        .into_iter()
        // Whoever writes a text longer than any name has not mistyped one, and comparing it would take long.
        .filter(|candidate| length <= NAME_BYTES_MAX && candidate.chars().count().abs_diff(length) <= allowed)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Words as they are listed in advice: `a, b, c`; a long list is cut.
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    let shown = words.len().min(LISTED_MAX);
    let rest = if shown < words.len() { format!(", … ({} in all)", words.len()) } else { String::new() };
    format!("{}{rest}", words[..shown].join(", "))
}

/// The likely word, and all that there are.
pub(crate) fn instead_of(word: &str, known: &[&str]) -> String {
    let meant = closest(word, known.iter().copied());
    let meant = meant.map_or_else(String::new, |meant| format!("did you mean {meant:?}? "));
    format!("{meant}it has: {}", listed(known.iter().copied()))
}

/// More words than this help nobody.
const LISTED_MAX: usize = 12;

/// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word_and_nonsense_finds_none() {
        assert_eq!(closest("eats", ["cn", "east", "north"]), Some("east"));
        assert_eq!(closest("advertize", ["listen", "advertise"]), Some("advertise"));
        assert_eq!(closest("zzzzzz", ["cn", "east", "north"]), None);
        assert_eq!(closest("", ["east"]), None);
    }

    #[test]
    fn a_long_list_is_cut() {
        assert_eq!(listed(["a", "b"]), "a, b");
        assert!(listed(["x"; 40]).ends_with("(40 in all)"));
    }
}
