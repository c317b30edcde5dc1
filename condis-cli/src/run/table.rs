//! Columns of text.

/// Lays rows out in columns, each as wide as its widest cell, numbers to the right.
pub(super) fn table(head: &[&str], rows: &[Vec<String>], numbers: &[usize]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if numbers.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut head.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines
}

/// Blocks of lines beside each other as far as `width` allows, else below each other.
pub(super) fn beside(blocks: &[Vec<String>], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut band: Vec<&Vec<String>> = Vec::new();
    let wide = |block: &Vec<String>| block.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let mut flush = |band: &mut Vec<&Vec<String>>| {
        let height = band.iter().map(|block| block.len()).max().unwrap_or(0);
        if height > 0 && !lines.is_empty() {
            lines.push(String::new());
        }
        for row in 0..height {
            let cells = band.iter().map(|block| {
                let cell = block.get(row).map_or("", String::as_str);
                format!("{cell:<width$}", width = wide(block) + GAP)
            });
            lines.push(cells.collect::<String>().trim_end().to_owned());
        }
        band.clear();
    };
    for block in blocks {
        let taken: usize = band.iter().map(|block| wide(block) + GAP).sum();
        if !band.is_empty() && taken + wide(block) > width {
            flush(&mut band);
        }
        band.push(block);
    }
    flush(&mut band);
    lines
}

/// `text` in `width` columns, cut with an ellipsis if it is longer.
pub(super) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return format!("{text:<width$}");
    }
    let head: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{head}…")
}

const GAP: usize = 4;
