package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// configFlags are the flags by which a command takes a configuration.
type configFlags struct {
	file  string
	texts map[string]string // by key; only those that were given
}

// addConfigFlags gives cmd a flag for every setting. data_dir has one already, which all commands share.
func addConfigFlags(cmd *cobra.Command) *configFlags {
	f := &configFlags{texts: make(map[string]string)}
	flags := cmd.Flags()
	flags.StringVar(&f.file, "config", "", "YAML file with settings (default $GYRO_CONFIG; deploy/gyro.yaml explains all of them)")
	for _, s := range defaultConfig().settings() {
		if s.key == "data_dir" {
			continue
		}
		flag := flags.VarPF(&settingFlag{f, s, s.value.String()}, s.flag(), "", fmt.Sprintf("%s ($%s)", s.usage, s.variable()))
		if s.value.kind() == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
	return f
}

// settingFlag keeps what a flag was given. It is read together with all other sources, so that faults are told at once.
type settingFlag struct {
	flags *configFlags
	setting
	shown string
}

func (f *settingFlag) Type() string   { return f.value.kind() }
func (f *settingFlag) String() string { return f.shown }

func (f *settingFlag) Set(text string) error {
	f.flags.texts[f.key] = text
	f.shown = text
	return nil
}

// load returns the configuration that the flags, the environment and the file make.
func (f *configFlags) load(env *environment) (*config, error) {
	if env.dataDirFlag != "" {
		f.texts["data_dir"] = env.dataDirFlag
	}
	file := f.file
	if file == "" {
		file = env.getenv("GYRO_CONFIG")
	}
	c, err := loadConfig(origin{file: file, getenv: env.getenv, flags: f.texts, dataDir: env.dataDir})
	if err != nil {
		return nil, usagef("the configuration cannot be used:\n%w", err)
	}
	return c, nil
}
