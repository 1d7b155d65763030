// What LibreChat's server does with its configuration and a question, by its
// own published packages: librechat-data-provider reads librechat.yaml and
// ${VAR}, and knows a model's abilities by its id; @librechat/agents runs the
// conversation, on @langchain/aws and the AWS SDK.
import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { configSchema, extractEnvVariable, bedrockInputParser, bedrockOutputParser } from "librechat-data-provider";
import { Run, Providers, GraphEvents, ChatModelStreamHandler, createMetadataAggregator } from "@librechat/agents";
import { HumanMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";

const config = configSchema.parse(load(readFileSync(process.env.CONFIG_PATH ?? "librechat.yaml", "utf8")));
process.loadEnvFile(process.env.ENV_PATH ?? ".env");
export const bedrock = config.endpoints.bedrock;

// mapped is the profile of a model, as packages/api/src/endpoints/bedrock has it.
const mapped = (model) => bedrock.inferenceProfiles?.[model] && extractEnvVariable(bedrock.inferenceProfiles[model]);

export function llmConfig(model, { token: own, proxy: host, ...options } = {}) {
  const region = options.region ?? process.env.BEDROCK_AWS_DEFAULT_REGION;
  const parsed = bedrockOutputParser(bedrockInputParser.parse({ model, region, ...options }));
  const llm = { ...parsed, provider: Providers.BEDROCK, region, streaming: true, streamUsage: true, applicationInferenceProfile: mapped(model) };
  const token = own ?? process.env.BEDROCK_AWS_BEARER_TOKEN;
  const proxy = host ?? process.env.BEDROCK_REVERSE_PROXY;
  const endpoint = proxy && `https://${proxy}`;
  if (token) {
    llm.client = new BedrockRuntimeClient({ region, token: { token }, authSchemePreference: ["httpBearerAuth"], ...(endpoint && { endpoint }) });
  } else {
    llm.credentials = { accessKeyId: process.env.BEDROCK_AWS_ACCESS_KEY_ID, secretAccessKey: process.env.BEDROCK_AWS_SECRET_ACCESS_KEY };
    if (proxy) llm.endpointHost = proxy;
  }
  return llm;
}

export const weather = tool(async ({ city }) => `It is 17 degrees in ${city}.`, {
  name: "get_weather", description: "Weather by city",
  schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
});

// chat asks one question and tells what came: text, reasoning, tools, usage.
export async function chat(question, { model, tools = [], signal, onText, instructions = "You are terse.", ...options }) {
  const heard = { text: "", reasoning: "", tools: [], chunks: 0 };
  const meta = createMetadataAggregator();
  const handler = new ChatModelStreamHandler();
  const run = await Run.create({
    runId: crypto.randomUUID(),
    graphConfig: { type: "standard", llmConfig: llmConfig(model, options), tools, instructions },
    returnContent: true,
    skipCleanup: true, // the title is asked of the same run
    customHandlers: {
      [GraphEvents.CHAT_MODEL_STREAM]: { handle: (event, data, metadata, graph) => {
        for (const part of [].concat(data.chunk?.content ?? [])) {
          const text = typeof part === "string" ? part : part.text ?? "";
          heard.text += text;
          heard.reasoning += part.reasoning_content?.text ?? part.reasoningText?.text ?? part.reasoning?.text ?? "";
          if (text) onText?.(text);
        }
        heard.chunks++;
        for (const call of data.chunk?.tool_call_chunks ?? []) if (call.name) heard.tools.push(call.name);
        return handler.handle(event, data, metadata, graph);
      } },
    },
  });
  const input = { messages: [new HumanMessage(question)] };
  heard.content = await run.processStream(input, { version: "v2", signal, configurable: { thread_id: "story" }, callbacks: [{ handleLLMEnd: meta.handleLLMEnd }] });
  heard.usage = meta.collected.map((m) => m.metadata.usage);
  heard.run = run;
  return heard;
}

// title is the second call of every new conversation, with titleModel.
export async function title(question, options = {}) {
  const clientOptions = llmConfig(bedrock.titleModel);
  return options.run.generateTitle({
    provider: Providers.BEDROCK, inputText: question, contentParts: [{ type: "text", text: "ok" }], titleMethod: "completion",
    clientOptions: { ...clientOptions, streaming: false, disableStreaming: true, additionalModelRequestFields: undefined },
    chainOptions: { runId: crypto.randomUUID() },
  });
}
