//! Draws the two pictures, on white, because the page may be dark.

use plotters::prelude::*;
use std::error::Error;

const SIZE: (u32, u32) = (860, 420);
const OWN: RGBColor = RGBColor(0xc2, 0x41, 0x0c);
const OTHERS: [RGBColor; 2] = [RGBColor(0x1d, 0x4e, 0x89), RGBColor(0x7a, 0x7a, 0x7a)];

pub struct Bar<'a> {
    pub name: &'a str,
    pub remark: &'a str,
    pub nanoseconds: f64,
}

/// Draws one bar for each contestant, the fastest on top. Contestants with a remark do less, and are grey.
pub fn bars(path: &str, bars: &[Bar<'_>]) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let longest = bars.iter().map(|bar| bar.nanoseconds).fold(0.0, f64::max);
    let count = bars.len() as f64;
    let mut chart = ChartBuilder::on(&root)
        .caption("verify by contestant, nanoseconds (less is better)", ("sans-serif", 18))
        .margin(12)
        .set_label_area_size(LabelAreaPosition::Left, 0)
        .build_cartesian_2d(-0.22 * longest..1.12 * longest, count..0.0)?;
    for (place, bar) in bars.iter().enumerate() {
        let top = place as f64;
        let color = match bar.name {
            "client-keys" => OWN,
            _ if bar.remark.is_empty() => OTHERS[0],
            _ => OTHERS[1],
        };
        let label = format!("{:.0} {}", bar.nanoseconds, bar.remark);
        chart.draw_series([Rectangle::new(
            [(0.0, top + 0.15), (bar.nanoseconds, top + 0.85)],
            color.filled(),
        )])?;
        for (text, x) in [
            (bar.name, -0.22 * longest),
            (label.as_str(), bar.nanoseconds + 0.01 * longest),
        ] {
            chart.draw_series([Text::new(text.to_owned(), (x, top + 0.3), ("sans-serif", 16))])?;
        }
    }
    root.present()?;
    Ok(())
}

/// Both axes are logarithmic: the list's length and the cost of its scan span five powers of ten.
pub fn lines(path: &str, lines: &[(&str, Vec<(f64, f64)>)]) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let points = || lines.iter().flat_map(|(_, points)| points.iter());
    let longest = points().map(|(count, _)| *count).fold(1.0, f64::max);
    let slowest = points().map(|(_, nanoseconds)| *nanoseconds).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(&root)
        .caption("cost by number of listed ids", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d((1.0..longest).log_scale(), (1.0..2.0 * slowest).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("listed ids")
        .y_desc("nanoseconds")
        .x_label_formatter(&|count| format!("{count:.0}"))
        .y_label_formatter(&|nanoseconds| format!("{nanoseconds:.0}"))
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 14))
        .draw()?;
    for ((label, points), color) in lines.iter().zip([OWN, OTHERS[0], OTHERS[1]]) {
        chart
            .draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?
            .label(*label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, color.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(TRANSPARENT)
        .label_font(("sans-serif", 15))
        .draw()?;
    root.present()?;
    Ok(())
}
