package licence

import (
	"slices"
	"testing"
)

func TestTheProgramsAreBuiltOfWhatIsKnown(t *testing.T) {
	parts, err := Parts(t.Context(), "../../..", nil, "./farm")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]Part)
	for _, p := range parts {
		found[p.Name] = p
		if len(p.Kinds) == 0 {
			t.Errorf("%s %s has no known licence", p.Name, p.Version)
		}
	}
	for name, want := range map[string][]string{
		"Go's standard library":         {"BSD-3-Clause"},
		"go.etcd.io/bbolt":              {"MIT"},
		"github.com/tetratelabs/wazero": {"Apache-2.0"},
		"libde265":                      {"LGPL-3.0", "MIT"},
	} {
		if got := found[name].Kinds; !slices.Equal(got, want) {
			t.Errorf("%s has the licences %q, want %q", name, got, want)
		}
	}
	if _, ok := found["go.uber.org/goleak"]; ok {
		t.Error("the programs are said to contain what only tests use")
	}
}

func TestKindsAreToldByTheirWords(t *testing.T) {
	for text, want := range map[string][]string{
		"All rights reserved. Do not copy.":                     nil,
		"Permission is hereby granted, free of\n  charge, to …": {"MIT"},
		"Apache License\n   Version 2.0, January 2004":          {"Apache-2.0"},
		"Redistribution and use in source and binary forms":     {"BSD-2-Clause"},
		"Redistribution and use in source and binary forms … Neither the name of X nor the names of its contributors " +
			"may be used to endorse or promote products": {"BSD-3-Clause"},
		"GNU LESSER GENERAL PUBLIC LICENSE\nVersion 3 … the GNU General Public License version 3": {"LGPL-3.0"},
		"GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007":                                    {"GPL"},
	} {
		if got := kindsOf(text); !slices.Equal(got, want) {
			t.Errorf("%q is of the kinds %q, want %q", text, got, want)
		}
	}
}
