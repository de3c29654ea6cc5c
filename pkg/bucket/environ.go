package bucket

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// environ is what the environment says of object stores.
type environ struct {
	endpoint string // URL
	region   string // empty: asked of the store
	lookup   minio.BucketLookupType
	profile  string
	noRole   bool // the machine's metadata service is not to be asked
}

// readEnviron reads the variables and the configuration file of the AWS command line:
//
//   - AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or endpoint_url; default: Amazon's
//   - AWS_REGION, AWS_DEFAULT_REGION, or region; default: the store is asked
//   - s3.addressing_style: path or virtual; default: virtual at Amazon's and Google's endpoints, else path
//   - AWS_PROFILE, AWS_CONFIG_FILE, AWS_EC2_METADATA_DISABLED
func readEnviron(getenv func(string) string) (environ, error) {
	e := environ{
		profile: cmp.Or(getenv("AWS_PROFILE"), "default"), noRole: strings.EqualFold(getenv("AWS_EC2_METADATA_DISABLED"),
			"true"),
	}
	home, _ := os.UserHomeDir() // without one there is no file
	file := cmp.Or(getenv("AWS_CONFIG_FILE"), filepath.Join(home, ".aws", "config"))
	profile, err := readProfile(file, e.profile)
	if err != nil {
		return e, fmt.Errorf("cannot read %s: %w", file, err)
	}
	if profile["role_arn"] != "" && profile["source_profile"] != "" && getenv("AWS_ACCESS_KEY_ID") == "" {
		return e, fmt.Errorf("the profile %q of %s assumes a role by another profile, which is not supported: "+
			"run `aws configure export-credentials --format env` and use its output", e.profile, file)
	}
	e.region = cmp.Or(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), profile["region"])
	amazon := "https://s3.amazonaws.com"
	e.endpoint = cmp.Or(getenv("AWS_ENDPOINT_URL_S3"), getenv("AWS_ENDPOINT_URL"), profile["endpoint_url"], amazon)
	switch style := profile["s3.addressing_style"]; style {
	case "", "auto":
		e.lookup = minio.BucketLookupAuto
	case "path":
		e.lookup = minio.BucketLookupPath
	case "virtual":
		e.lookup = minio.BucketLookupDNS
	default:
		return e, fmt.Errorf("the addressing_style in %s is %q: use path, virtual or auto", file, style)
	}
	return e, nil
}

// credentials returns where credentials come from, in this order: the variables AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; the profile in the files; the role of the pod, the container or the
// machine. Without any, requests are anonymous.
func (e *environ) credentials(client *http.Client) *credentials.Credentials {
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{},
		&credentials.FileAWSCredentials{Profile: e.profile},
		&machineRole{IAM: credentials.IAM{Client: client, Region: e.region}, disabled: e.noRole},
	})
}

// readProfile returns the settings of a profile in an AWS configuration file. Settings of a nested block are named
// BLOCK.KEY. A file that is not there has no settings.
func readProfile(path, profile string) (map[string]string, error) {
	settings := make(map[string]string)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return settings, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	inProfile, block := false, ""
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), " \t\r")
		text := strings.TrimSpace(line)
		if text == "" || text[0] == '#' || text[0] == ';' {
			continue
		}
		if text[0] == '[' {
			name := strings.Trim(text, "[] \t")
			inProfile = name == profile && profile == "default" || name == "profile "+profile
			block = ""
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if key = strings.ToLower(strings.TrimSpace(key)); !inProfile || !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch nested := line[0] == ' ' || line[0] == '\t'; {
		case nested && block != "":
			settings[block+"."+key] = value
		case value == "":
			block = key
		default:
			block, settings[key] = "", value
		}
	}
	return settings, lines.Err()
}
