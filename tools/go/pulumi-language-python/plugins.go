// Plugins and policy packs, for a language host that is older than the way in which the CLI tells of them today: no
// longer the program, but `info`, a message with its folder and the options of its runtime. Without it the host would
// start the program of the stack in place of the plugin. The rest of the host's source is put beside this file when it
// is built: tools/pulumi_ways.py.
package main

import (
	"path/filepath"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// Numbers of fields: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/language.proto.
const (
	infoOfRunPluginRequest  protowire.Number = 5
	rootOfProgramInfo       protowire.Number = 1
	directoryOfProgramInfo  protowire.Number = 2
	entryPointOfProgramInfo protowire.Number = 3
	optionsOfProgramInfo    protowire.Number = 4
)

// RunPlugin starts a plugin in the virtual environment that its options name.
func (host *pythonLanguageHost) RunPlugin(
	req *pulumirpc.RunPluginRequest, server pulumirpc.LanguageRuntime_RunPluginServer,
) error {
	info := field(req.ProtoReflect().GetUnknown(), infoOfRunPluginRequest)
	if info == nil {
		return host.runNamedPlugin(req, server)
	}
	options := &structpb.Struct{}
	if err := proto.Unmarshal(field(info, optionsOfProgramInfo), options); err != nil {
		return err
	}
	own := *host
	own.virtualenv = options.GetFields()["virtualenv"].GetStringValue()
	own.virtualenvPath = resolveVirtualEnvironmentPath(string(field(info, rootOfProgramInfo)), own.virtualenv)
	req.Program = filepath.Join(
		string(field(info, directoryOfProgramInfo)), string(field(info, entryPointOfProgramInfo)))
	return own.runNamedPlugin(req, server)
}

// field returns the contents of a text or a message in an encoded message, nil when it is not there.
func field(message []byte, wanted protowire.Number) []byte {
	for len(message) > 0 {
		number, kind, length := protowire.ConsumeTag(message)
		if length < 0 {
			return nil
		}
		message = message[length:]
		if number == wanted && kind == protowire.BytesType {
			contents, _ := protowire.ConsumeBytes(message)
			return contents
		}
		length = protowire.ConsumeFieldValue(number, kind, message)
		if length < 0 {
			return nil
		}
		message = message[length:]
	}
	return nil
}
