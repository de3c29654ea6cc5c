package grafana

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the dashboard's JSON from the list of panels")

const file = "dashboards/imagefarm.json"

func TestDashboardIsMadeFromThePanels(t *testing.T) {
	made, err := Dashboard()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	there, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, there) {
		t.Errorf("%s is not what the panels make: run go test ./deploy/grafana -update", file)
	}
}

func TestPanelsFillThePageAndExplainThemselves(t *testing.T) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID                       int
			Type, Title, Description string
			Datasource               struct{ UID string }
			GridPos                  struct{ X, Y, W, H int }
			Targets                  []struct{ RefID, Expr, LegendFormat string }
			FieldConfig              struct{ Defaults struct{ Unit string } }
		}
	}
	if err := json.Unmarshal(data, &board); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("provisioning/datasources/prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	taken, bottom := map[[2]int]string{}, 0
	ids, titles := map[int]bool{}, map[string]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || titles[p.Title] || p.Title == "" {
			t.Errorf("panel %d %q: id and title must be there once", p.ID, p.Title)
		}
		ids[p.ID], titles[p.Title] = true, true
		if !strings.HasSuffix(p.Description, ".") || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
			t.Errorf("%s: needs a sentence, a unit and a query", p.Title)
		}
		if !bytes.Contains(source, []byte("\n    uid: "+p.Datasource.UID+"\n")) {
			t.Errorf("%s: datasource %q is not provisioned", p.Title, p.Datasource.UID)
		}
		refs := map[string]bool{}
		for _, q := range p.Targets {
			if refs[q.RefID] {
				t.Errorf("%s: query %s is there twice", p.Title, q.RefID)
			}
			refs[q.RefID] = true
			if len(p.Targets) > 1 && q.LegendFormat == "" {
				t.Errorf("%s: nobody can tell %s from the others", p.Title, q.Expr)
			}
		}
		g := p.GridPos
		bottom = max(bottom, g.Y+g.H)
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= pageWidth {
					t.Fatalf("%s lies over %q or the edge at %d,%d", p.Title, other, x, y)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	if len(taken) != bottom*pageWidth {
		t.Errorf("the panels leave %d holes", bottom*pageWidth-len(taken))
	}
}
