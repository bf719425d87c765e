//! Tables that fit the terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::terminal::Plain;

/// Between two columns.
const GAP: &str = "  ";
/// A column that gives way keeps at least so much.
const LEAST: usize = 12;

/// A table: one line a row, under a line of headings.
pub struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Plain>>,
    /// The columns that give way where the terminal is narrow, the first of them first.
    elastic: Vec<usize>,
}

impl Table {
    /// An empty one, of whose columns the `elastic` ones give way.
    pub fn new(headings: &[&'static str], elastic: &[usize]) -> Self {
        Self {
            headings: headings.to_vec(),
            rows: Vec::new(),
            elastic: elastic.to_vec(),
        }
    }

    /// With a row; it has a cell for each heading.
    pub fn row(&mut self, cells: Vec<Plain>) {
        debug_assert_eq!(cells.len(), self.headings.len(), "a cell for each heading");
        self.rows.push(cells);
    }

    /// As lines of at most `width` columns, where there is a width.
    pub fn drawn(&self, width: Option<usize>) -> String {
        let mut widths: Vec<usize> = self.headings.iter().map(|text| text.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.as_str().width());
            }
        }
        if let Some(width) = width {
            self.fit(&mut widths, width);
        }
        let headings = self.headings.iter().map(|text| Plain::new(text)).collect();
        let lines: Vec<String> = std::iter::once(&headings)
            .chain(&self.rows)
            .map(|row| line(row, &widths))
            .collect();
        lines.join("\n")
    }

    fn fit(&self, widths: &mut [usize], width: usize) {
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        for column in &self.elastic {
            let excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(width);
            let least = LEAST.max(self.headings[*column].width());
            let least = least.min(widths[*column]);
            widths[*column] = widths[*column].saturating_sub(excess).max(least);
        }
    }
}

fn line(row: &[Plain], widths: &[usize]) -> String {
    let mut line = String::new();
    for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
        if at > 0 {
            line.push_str(GAP);
        }
        let cell = shortened(cell.as_str(), *width);
        line.push_str(&cell);
        line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width())));
    }
    line.trim_end().to_owned()
}

/// `text` in at most `width` columns; what is cut off shows as `…`.
fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut room = width.saturating_sub(1);
    for c in text.chars() {
        let needed = c.width().unwrap_or(0);
        if needed > room {
            break;
        }
        room -= needed;
        short.push(c);
    }
    short.push('…');
    short
}

/// Names and what they stand for, one a line, the latter aligned and wrapped.
pub fn listed(pairs: &[(&str, String)], width: Option<usize>) -> String {
    let indent = pairs.iter().map(|(name, _)| name.width()).max();
    let indent = indent.unwrap_or(0) + 4;
    let room = width
        .unwrap_or(usize::MAX)
        .saturating_sub(indent)
        .max(LEAST);
    let mut lines = Vec::new();
    for (name, value) in pairs {
        for (at, piece) in wrapped(value, room).into_iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            let line = format!("  {name:<width$}{piece}", width = indent - 2);
            lines.push(line.trim_end().to_owned());
        }
    }
    lines.join("\n")
}

/// `text`, broken at its line ends, and between words where it is wider than `room`.
pub fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let needed = word.width() + usize::from(!line.is_empty());
            if !line.is_empty() && line.width() + needed > room {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["ID", "REASON", "AGE"], &[1]);
        for (id, reason) in [
            ("a", "short"),
            ("bb", "a long reason that goes on and on 東京"),
        ] {
            table.row([id, reason, "now"].map(Plain::new).to_vec());
        }
        table
    }

    #[test]
    fn columns_stand_below_each_other_and_nothing_is_cut_where_nobody_looks() {
        assert_eq!(
            table().drawn(None),
            "ID  REASON                                  AGE\n\
             a   short                                   now\n\
             bb  a long reason that goes on and on 東京  now"
        );
    }

    #[test]
    fn what_does_not_fit_is_cut_in_the_column_that_gives_way() {
        let drawn = table().drawn(Some(30));
        assert!(drawn.lines().all(|line| line.width() <= 30), "{drawn}");
        assert!(drawn.contains("a long reason that g…  now"), "{drawn}");
    }

    #[test]
    fn a_column_keeps_something_however_narrow_the_terminal_is() {
        let drawn = table().drawn(Some(5));
        assert!(drawn.contains("a long reas…"), "{drawn}");
    }

    #[test]
    fn what_is_listed_is_wrapped_under_itself() {
        let pairs = [
            ("id", "1".to_owned()),
            ("reason", "one two three".to_owned()),
        ];
        assert_eq!(
            listed(&pairs, Some(22)),
            "  id      1\n  reason  one two\n          three"
        );
    }
}
