package otel

import (
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// response describes ExportTraceServiceResponse, as OTLP does.
func response(t testing.TB) protoreflect.MessageDescriptor {
	field := func(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Type: &kind, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
	}
	part := field("partial_success", 1, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE)
	part.TypeName = proto.String("Part")
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{Name: proto.String("response.proto"), Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{
		{Name: proto.String("Response"), Field: []*descriptorpb.FieldDescriptorProto{part}},
		{Name: proto.String("Part"), Field: []*descriptorpb.FieldDescriptorProto{
			field("rejected_spans", 1, descriptorpb.FieldDescriptorProto_TYPE_INT64), field("error_message", 2, descriptorpb.FieldDescriptorProto_TYPE_STRING)}},
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return file.Messages().ByName("Response")
}

// Whatever a collector answers, it is read as protobuf's own package reads it.
func FuzzAnswer(f *testing.F) {
	unknown := protowire.AppendString(protowire.AppendTag(nil, 7, protowire.BytesType), "new")
	for _, seed := range [][]byte{
		nil, rejects(0, ""), rejects(3, "too old"), rejects(1<<63, "minus"), append(unknown, rejects(3, "x")...), append(rejects(3, "x"), rejects(4, "")...),
		{0x0a}, {0x0a, 0xff}, {0x08, 0x01}, {0x0b, 0x0c}, {0x0c}, {0x0a, 0x02, 0x10, 0x01}, {0x00}, {0x0a, 0x03, 0x12, 0x05, 'a'}, {0x0a, 0x03, 0x12, 0x01, 0xff},
	} {
		f.Add(seed)
	}
	about := response(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := readAnswer(protobuf, text)
		want := dynamicpb.NewMessage(about)
		wrong := proto.Unmarshal(text, want)
		if err == nil && wrong != nil && !utf8.Valid(text) {
			return // proto3 refuses such strings; here they are made fit for a log
		}
		if (err == nil) != (wrong == nil) {
			t.Fatalf("%x: %v, protobuf says %v", text, err, wrong)
		}
		if err != nil {
			return
		}
		part := want.Get(about.Fields().ByNumber(1)).Message()
		n, message := part.Get(part.Descriptor().Fields().ByNumber(1)).Int(), part.Get(part.Descriptor().Fields().ByNumber(2)).String()
		if got != (rejection{n, message}) {
			t.Fatalf("%x is %+v, protobuf says %d, %q", text, got, n, message)
		}
	})
}
