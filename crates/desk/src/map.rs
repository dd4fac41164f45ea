//! Where incidents are.

use crate::error::Result;
use crate::moment;
use crate::session::Desk;
use crate::wire::{BoardQuery, MapPage, MapPoint};

/// Points in one answer: five megabytes, which a window takes in and clusters within a second.
const MAX_POINTS: u32 = 20_000;

impl Desk {
    /// The incidents of a view of the board that have coordinates, newest first; not page by page.
    pub async fn map(&self, query: BoardQuery) -> Result<MapPage> {
        let now_ms = moment::now().wall_ms;
        let listing = vault::ListQuery { limit: MAX_POINTS, offset: 0, ..self.listing(query, now_ms)? };
        let found = self.vault().points(&listing).await?;
        Ok(MapPage {
            total: found.total,
            placed: found.placed,
            points: found.points.into_iter().map(point).collect(),
            counts: self.counts(now_ms).await?,
        })
    }
}

fn point(point: vault::Point) -> MapPoint {
    MapPoint {
        id: point.record.to_string(),
        reference: point.reference,
        summary: point.summary,
        severity: point.severity,
        state: point.state,
        lat: degrees(point.lat_e7),
        lon: degrees(point.lon_e7),
        disputed: point.disputed,
        recorded_at: moment::rfc3339(point.created_ms),
    }
}

/// Whole 10^-7 degrees as degrees; a double holds them exactly enough to give them back.
fn degrees(e7: i64) -> f64 {
    e7 as f64 / 1e7
}

#[cfg(test)]
mod tests {
    use seal::{KdfCost, Passphrase};

    use super::*;
    use crate::practice::Practice;

    async fn logged(desk: &Desk, more: serde_json::Value) -> Result<String> {
        let mut input = serde_json::json!({ "category": "ops:box-tampering", "summary": "Ballot box destroyed" });
        if let (Some(input), Some(more)) = (input.as_object_mut(), more.as_object()) {
            input.extend(more.clone());
        }
        Ok(desk.log(serde_json::from_value(input).unwrap()).await?.reference)
    }

    fn query(view: &str) -> BoardQuery {
        BoardQuery {
            view: Some(view.into()),
            state: None,
            category: None,
            severity: None,
            search: None,
            since: None,
            until: None,
            references: Vec::new(),
            limit: 0,
            offset: 0,
        }
    }

    #[tokio::test]
    async fn the_map_shows_what_has_coordinates_in_the_views_of_the_board() {
        let root = tempfile::tempdir().unwrap();
        let pass = Passphrase::new("practice makes the night shorter".into());
        let emb = Practice::found(root.path(), &pass, KdfCost::DRILL).await.unwrap().emb;
        let placed = serde_json::json!({ "lat": 45.7485012, "lon": -4.8467, "severity": 4 });
        let placed = logged(&emb, placed).await.unwrap();
        logged(&emb, serde_json::json!({})).await.unwrap();
        let map = emb.map(query("open")).await.unwrap();
        assert_eq!((map.total, map.placed, map.points.len(), map.counts.open), (2, 1, 1, 2));
        let point = &map.points[0];
        assert_eq!((point.reference.as_str(), point.severity, point.disputed), (placed.as_str(), 4, false));
        assert_eq!((point.lat, point.lon), (45.7485012, -4.8467));
        assert_eq!(emb.map(query("critical")).await.unwrap().placed, 1);
        assert_eq!(emb.map(query("mine")).await.unwrap().placed, 0);
        assert!(emb.map(query("elsewhere")).await.is_err());
    }

    #[tokio::test]
    async fn a_place_is_a_whole_pair_within_the_globe() {
        let root = tempfile::tempdir().unwrap();
        let pass = Passphrase::new("practice makes the night shorter".into());
        let emb = Practice::found(root.path(), &pass, KdfCost::DRILL).await.unwrap().emb;
        for wrong in [
            serde_json::json!({ "lat": 90.1, "lon": 0.0 }),
            serde_json::json!({ "lat": 0.0, "lon": 180.1 }),
            serde_json::json!({ "lat": -91, "lon": 0 }),
            serde_json::json!({ "lat": 12.5 }),
            serde_json::json!({ "lon": 12.5 }),
        ] {
            assert!(logged(&emb, wrong.clone()).await.is_err(), "{wrong}");
        }
        assert_eq!(emb.map(query("all")).await.unwrap().total, 0, "nothing was written");
    }

    #[tokio::test]
    async fn the_imported_events_are_on_the_map() {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let shared =
            std::env::var_os("INTACT_SHARED").map_or_else(|| source.join("../shared"), std::path::PathBuf::from);
        let root = tempfile::tempdir().unwrap();
        let pass = Passphrase::new("practice makes the night shorter".into());
        let emb = Practice::found(root.path(), &pass, KdfCost::DRILL).await.unwrap().emb;
        let table = shared.join("data/deco-1989-2011.csv");
        let mapping = source.join("docs/import/deco.mapping.json");
        emb.import_csv(&table, &mapping, std::sync::Arc::new(|_, _| {})).await.unwrap();
        let map = emb.map(query("open")).await.unwrap();
        assert_eq!((map.total, map.placed, map.points.len()), (3048, 3042, 3042));
        assert!(map.points.iter().all(|point| point.lat.abs() <= 90.0 && point.lon.abs() <= 180.0));
        let critical = emb.map(query("critical")).await.unwrap();
        assert!(critical.points.iter().all(|point| point.severity == 4));
        assert!((600..=706).contains(&critical.placed), "{}", critical.placed);
    }
}
