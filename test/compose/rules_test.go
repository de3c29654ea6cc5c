//go:build unix

package compose

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// service is what the rules look at, as docker compose config shows it.
type service struct {
	Image         string
	User          string
	ContainerName string   `json:"container_name"`
	ReadOnly      bool     `json:"read_only"`
	CapDrop       []string `json:"cap_drop"`
	CapAdd        []string `json:"cap_add"`
	SecurityOpt   []string `json:"security_opt"`
	Grace         string   `json:"stop_grace_period"`
	Init          bool
	Privileged    bool
	Entrypoint    []string
	Ports         []struct {
		HostIP    string `json:"host_ip"`
		Published string
	}
	Healthcheck struct{ Test []string }
	Volumes     []struct {
		Type, Target string
		ReadOnly     bool `json:"read_only"`
	}
}

// services returns what docker compose reads in the project's compose file; no engine is needed for that.
func services(t *testing.T) map[string]service {
	t.Helper()
	const file = "../../docker-compose.yml"
	cmd := exec.CommandContext(t.Context(), "docker", "compose", "-f", file, "config", "--format", "json")
	out, err := cmd.Output()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("docker compose config: %v", err)
		}
		t.Skipf("docker compose is not installed: %v", err)
	}
	var parsed struct{ Services map[string]service }
	if err := json.Unmarshal(out, &parsed); err != nil {
		t.Fatal(err)
	}
	if len(parsed.Services) != 5 {
		t.Fatalf("%d services, want sink, worker, ventilator, prometheus and grafana", len(parsed.Services))
	}
	return parsed.Services
}

func TestContainersMayDoLittle(t *testing.T) {
	for name, s := range services(t) {
		if !s.Init || !s.ReadOnly || s.Privileged || !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%s: init, read_only and cap_drop [ALL] are wanted", name)
		}
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may gain privileges", name)
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s is published on %q, want 127.0.0.1", name, p.HostIP)
			}
		}
		// Root is only for becoming somebody else.
		switch {
		case s.User == "":
			if len(s.CapAdd) > 0 {
				t.Errorf("%s has the capabilities %q", name, s.CapAdd)
			}
		case len(s.Entrypoint) < 2 || s.Entrypoint[0] != "farm" || s.Entrypoint[1] != "as-owner":
			t.Errorf("%s stays user %s: %q", name, s.User, s.Entrypoint)
		default:
			for _, c := range s.CapAdd {
				if !slices.Contains([]string{"SETUID", "SETGID", "KILL", "CHOWN"}, c) {
					t.Errorf("%s has the capability %s", name, c)
				}
			}
		}
		for _, v := range s.Volumes {
			if v.Type == "bind" && v.Target != "/out" && !v.ReadOnly {
				t.Errorf("%s may write to %s", name, v.Target)
			}
		}
	}
}

func TestServicesCanBeScaledAndWatched(t *testing.T) {
	all := services(t)
	for name, s := range all {
		if s.ContainerName != "" {
			t.Errorf("%s has a fixed name, with which it cannot be scaled", name)
		}
	}
	if len(all["worker"].Ports) > 0 {
		t.Error("worker publishes a port, with which it cannot be scaled")
	}
	for _, name := range []string{"sink", "worker", "ventilator"} {
		s := all[name]
		if test := s.Healthcheck.Test; len(test) < 3 || test[0] != "CMD" || test[1] != "farm" || test[2] != "health" {
			t.Errorf("%s: health is asked by %q, want farm health", name, test)
		}
		if s.Grace == "" {
			t.Errorf("%s may be killed while it drains", name)
		}
		if s.Image != all["sink"].Image {
			t.Errorf("%s runs %s, not the image that is built", name, s.Image)
		}
	}
}

func TestComposeFileHasNoVersion(t *testing.T) {
	for _, name := range []string{"../../docker-compose.yml", "../../deploy/swarm/stack.yml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(data), "version:") || strings.Contains(string(data), "\nversion:") {
			t.Errorf("%s has a version, which newer programs warn of", name)
		}
	}
}
