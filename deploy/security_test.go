package deploy

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v2"
)

// documents decodes the YAML documents of a file.
func documents[T any](t *testing.T, file string) (all []T) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	decoder := yaml.NewDecoder(f)
	for {
		var document T
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, document)
	}
}

// composed is what the tests read of a compose file.
type composed struct {
	Services map[string]struct {
		Environment map[string]string
		Secrets     []string
		Networks    []string
		Healthcheck struct{ Test []string }
	}
	Secrets  map[string]struct{ File string }
	Networks map[string]struct{ Internal bool }
}

// members are the programs of a farm, and the end of the file that farm tls issue writes for each.
var members = map[string]string{
	"sink": "sink-main.pem", "ventilator": "ventilator-main.pem", "worker": "worker-pool.pem",
}

func TestSwarmSpeaksTLS(t *testing.T) {
	stack := documents[composed](t, "swarm/stack.yml")[0]
	for name, file := range members {
		service := stack.Services[name]
		secret, mounted := strings.CutPrefix(service.Environment["IMAGEFARM_TLS"], "/run/secrets/")
		if !mounted || !slices.Contains(service.Secrets, secret) || !strings.HasSuffix(stack.Secrets[secret].File, file) {
			t.Errorf("%s has the certificate %q of %v", name, service.Environment["IMAGEFARM_TLS"], service.Secrets)
		}
		health := strings.Join(service.Healthcheck.Test, " ")
		if !strings.Contains(health, "https://") || !strings.Contains(health, "--tls /run/secrets/"+secret) {
			t.Errorf("the health of %s is asked by %s", name, health)
		}
		for variable, value := range service.Environment {
			if variable == "IMAGEFARM_INSECURE" || strings.HasPrefix(value, "tcp://") {
				t.Errorf("%s has %s=%s", name, variable, value)
			}
		}
	}
	sink := stack.Services["sink"]
	if sink.Environment["IMAGEFARM_TOKENS"] != "/run/secrets/tokens" || !slices.Contains(sink.Secrets, "tokens") {
		t.Error("the published page asks for no token")
	}
	for name, secret := range stack.Secrets {
		if strings.Contains(secret.File, "ca.key") {
			t.Errorf("the secret %s is the key of the authority", name)
		}
	}
	promtool(t, "check", "config", "--syntax-only", "swarm/prometheus.yml")
	if text := read(t, "swarm/prometheus.yml"); strings.Count(text, "scheme: https") != len(members) {
		t.Error("Prometheus asks a program of the farm without TLS")
	}
}

func TestComposeSeparatesNetworks(t *testing.T) {
	project := documents[composed](t, "../docker-compose.yml")[0]
	if !project.Networks["farm"].Internal {
		t.Error("the network without TLS has a way out")
	}
	for name, want := range map[string][]string{
		"sink": {"farm", "page"}, "ventilator": {"farm"}, "worker": {"farm"}, "prometheus": {"farm", "watch"},
		"grafana": {"watch"},
	} {
		if got := project.Services[name].Networks; !slices.Equal(got, want) {
			t.Errorf("%s is on %v, not on %v", name, got, want)
		}
	}
	if project.Services["sink"].Environment["IMAGEFARM_HTTP_HOST"] == "" {
		t.Error("the page answers to any name, so that web sites can read it through a browser")
	}
}

// object is what the tests read of an object of Kubernetes.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Template struct {
			Metadata struct{ Annotations map[string]string }
			Spec     struct {
				Containers []struct {
					Env   []struct{ Name, Value string }
					Ports []struct {
						Name          string
						ContainerPort int `yaml:"containerPort"`
					}
					LivenessProbe struct {
						HTTPGet struct{ Scheme string } `yaml:"httpGet"`
					} `yaml:"livenessProbe"`
					VolumeMounts []struct {
						Name      string
						MountPath string `yaml:"mountPath"`
					} `yaml:"volumeMounts"`
				}
				Volumes []struct {
					Name   string
					Secret struct {
						SecretName string `yaml:"secretName"`
					}
				}
			}
		}
		// Of a NetworkPolicy
		PodSelector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		} `yaml:"podSelector"`
		PolicyTypes []string `yaml:"policyTypes"`
		Ingress     []rule
		Egress      []rule
	}
}

type rule struct {
	From, To []struct {
		PodSelector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		} `yaml:"podSelector"`
	}
	Ports []struct{ Port any }
}

func TestKubernetesSpeaksTLS(t *testing.T) {
	type kustomization struct {
		Resources       []string
		SecretGenerator []struct {
			Name  string
			Files []string
		} `yaml:"secretGenerator"`
	}
	made := make(map[string]string)
	k := documents[kustomization](t, "kubernetes/kustomization.yaml")[0]
	for _, s := range k.SecretGenerator {
		made[s.Name] = strings.Join(s.Files, " ")
	}
	if !slices.Contains(k.Resources, "network.yaml") {
		t.Error("the network policies are not applied")
	}
	for name, file := range members {
		template := documents[object](t, "kubernetes/"+name+".yaml")[0].Spec.Template
		container := template.Spec.Containers[0]
		env := make(map[string]string)
		for _, e := range container.Env {
			env[e.Name] = e.Value
			if e.Name == "IMAGEFARM_INSECURE" || strings.HasPrefix(e.Value, "tcp://") {
				t.Errorf("%s has %s=%s", name, e.Name, e.Value)
			}
		}
		secretAt := func(path string) string {
			for _, m := range container.VolumeMounts {
				for _, v := range template.Spec.Volumes {
					if v.Name == m.Name && strings.HasPrefix(path, m.MountPath+"/") {
						return v.Secret.SecretName
					}
				}
			}
			return ""
		}
		if secret := secretAt(env["IMAGEFARM_TLS"]); !strings.Contains(made[secret], "member.pem=tls/"+file) {
			t.Errorf("%s has its certificate %s of the secret %q, made of %q", name, env["IMAGEFARM_TLS"], secret, made[secret])
		}
		if name == "sink" && made[secretAt(env["IMAGEFARM_TOKENS"])] == "" {
			t.Error("the page asks for no token")
		}
		if container.LivenessProbe.HTTPGet.Scheme != "HTTPS" ||
			template.Metadata.Annotations["prometheus.io/scheme"] != "https" {
			t.Errorf("%s is asked without TLS", name)
		}
	}
}

// A pod reaches what its program dials, and nothing else.
func TestNetworkPoliciesAllowWhatTheFarmNeeds(t *testing.T) {
	ports := make(map[any]string) // of whom
	for name := range members {
		for _, p := range documents[object](t, "kubernetes/"+name+".yaml")[0].Spec.Template.Spec.Containers[0].Ports {
			ports[p.ContainerPort] = name
		}
	}
	allowed := make(map[string][]any) // by direction, from and to
	closed := false
	for _, p := range documents[object](t, "kubernetes/network.yaml") {
		self := p.Spec.PodSelector.MatchLabels["app"]
		if p.Metadata.Name == "nothing-else" {
			closed = len(p.Spec.PolicyTypes) == 2 && len(p.Spec.Ingress)+len(p.Spec.Egress) == 0 && self == ""
		}
		for _, r := range p.Spec.Ingress {
			for _, from := range r.From {
				for _, port := range r.Ports {
					if peer := from.PodSelector.MatchLabels["app"]; peer != "" {
						allowed["in "+peer+" "+self] = append(allowed["in "+peer+" "+self], port.Port)
					}
				}
			}
		}
		for _, r := range p.Spec.Egress {
			for _, to := range r.To {
				for _, port := range r.Ports {
					if peer := to.PodSelector.MatchLabels["app"]; peer != "" {
						allowed["out "+self+" "+peer] = append(allowed["out "+self+" "+peer], port.Port)
					}
				}
			}
		}
	}
	if !closed {
		t.Error("what no policy names is allowed")
	}
	want := map[string][]any{"worker ventilator": {5557}, "worker sink": {5558}, "ventilator sink": {5555, 5556}}
	for pair, dialled := range want {
		for _, direction := range []string{"in ", "out "} {
			if got := allowed[direction+pair]; !slices.Equal(got, dialled) {
				t.Errorf("%s%s: ports %v, not %v", direction, pair, got, dialled)
			}
		}
		for _, port := range dialled {
			if owner := ports[port]; !strings.HasSuffix(pair, " "+owner) {
				t.Errorf("port %v of %q is of %q", port, pair, owner)
			}
		}
	}
	if len(allowed) != 2*len(want) {
		t.Errorf("the policies allow %v", allowed)
	}
}
