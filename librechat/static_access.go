package librechat

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

// Names of the variables that this file is about.
const (
	varKey     = "BEDROCK_AWS_ACCESS_KEY_ID"
	varSecret  = "BEDROCK_AWS_SECRET_ACCESS_KEY"
	varToken   = "BEDROCK_AWS_SESSION_TOKEN"
	varBearer  = "BEDROCK_AWS_BEARER_TOKEN"
	varProfile = "BEDROCK_AWS_PROFILE"
	varRegion  = "BEDROCK_AWS_DEFAULT_REGION"
	varModels  = "BEDROCK_AWS_MODELS"
	varProxy   = "BEDROCK_REVERSE_PROXY"
	varRuntime = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
	varAll     = "AWS_ENDPOINT_URL"
	varSDKKey  = "AWS_BEARER_TOKEN_BEDROCK"
	varIgnore  = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"

	asked = "user_provided"
)

func checkCredentials(_ context.Context, p *patient) {
	key, secret, bearer := p.env.get(varKey), p.env.get(varSecret), p.env.get(varBearer)
	switch {
	case key != "" && secret == "":
		p.say(p.envAt(varKey), "Set "+varSecret+" too.", "%s is set without %s: calls are signed with an empty secret and refused.", varKey, varSecret)
	case secret != "" && key == "" && secret != asked:
		p.say(p.envAt(varSecret), "Set "+varKey+" too.", "%s is set without %s.", varSecret, varKey)
	}
	if bearer != "" && (key != "" || secret != "") {
		p.sayAs(Warn, p.envAt(varBearer), "Keep one of the two.", "both %s and static keys are set: the bearer key wins.", varBearer)
	}
	if (bearer != "" || key != "") && p.env.get(varProfile) != "" {
		p.sayAs(Warn, p.envAt(varProfile), "Remove it.", "%s has no effect beside other credentials.", varProfile)
	}
	if bearer != "" && bearer != asked && strings.ContainsAny(bearer, " \t\"'") {
		p.say(p.envAt(varBearer), "Write the bare key.", "%s has a space or a quote in it.", varBearer)
	}
	if bearer == "" && key == "" && secret == "" && p.env.get(varProfile) == "" {
		p.sayAs(Info, p.envAt(varRegion), "", "no credentials are named: LibreChat takes those of the AWS SDK's default chain, which only its own machine knows.")
	}
}

func checkSDKKey(_ context.Context, p *patient) {
	if p.env.get(varSDKKey) != "" {
		p.say(p.envAt(varSDKKey), "Remove it, and set "+varBearer+" where a key is meant for LibreChat.", "%s overrides the keys that LibreChat passes.", varSDKKey)
	}
}

func checkProxy(_ context.Context, p *patient) {
	v := p.env.get(varProxy)
	switch {
	case v == "":
	case strings.Contains(v, "://"):
		_, host, _ := strings.Cut(v, "://")
		p.say(p.envAt(varProxy), "Write "+varProxy+"="+strings.TrimRight(host, "/")+".", "%s takes HOST:PORT only: LibreChat adds https:// itself, and looks for a host called %s.", varProxy, strings.SplitN(v, ":", 2)[0])
	case strings.ContainsAny(v, "/ "):
		p.say(p.envAt(varProxy), "Write HOST:PORT.", "%s takes HOST:PORT only; a path goes into %s.", varProxy, varRuntime)
	}
}

func checkS3(_ context.Context, p *patient) {
	strategy := p.root.get("fileStrategy")
	onS3 := strategy.value() == "s3" || p.env.get("CDN_PROVIDER") == "s3"
	for _, e := range strategy.entries() {
		onS3 = onS3 || e.value.value() == "s3"
	}
	if all := p.env.get(varAll); all != "" && onS3 {
		p.say(p.envAt(varAll), "Set "+varRuntime+" for Bedrock.", "%s is shared with LibreChat's S3 file storage: one of the two reaches the wrong server.", varAll)
	}
}

func checkIgnored(_ context.Context, p *patient) {
	const away = "requests would go to AWS itself"
	if strings.EqualFold(p.env.get(varIgnore), "true") && (p.env.get(varRuntime) != "" || p.env.get(varAll) != "") {
		p.say(p.envAt(varIgnore), "Remove it.", "%s=true switches the endpoint variables off: %s.", varIgnore, away)
	}
	if n := p.bedrock.get("baseURL"); n != nil {
		p.say(p.yamlAt(n.line), "Set "+varRuntime+" in "+p.EnvName+".", "endpoints.bedrock.baseURL is not read by LibreChat's Bedrock client: %s.", away)
	}
	if n := p.bedrock.get("headers"); n != nil {
		p.say(p.yamlAt(n.line), "Remove it; give each user a key of their own ("+varBearer+"="+asked+") to know who called.", "endpoints.bedrock.headers has no effect for Bedrock.")
	}
	for _, name := range []string{varRuntime, varAll} {
		u, err := url.Parse(p.env.get(name))
		if p.env.get(name) != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			p.sayAs(Fail, p.envAt(name), "Write http://HOST:PORT.", "%s is %q, which is no URL.", name, p.env.get(name))
		}
	}
}

func checkRegions(_ context.Context, p *patient) {
	home, regions := p.env.get(varRegion), p.regions()
	for _, m := range p.mapped {
		if !m.isARN || m.arn.Region == "" {
			continue
		}
		there := string(m.arn.Region)
		if home != "" && home != asked && home != there {
			p.say(p.profileAt(m), "Use one Region: set "+varRegion+"="+there+".", "the profile of '%s' lives in %s, and %s is %s: it is not found there.", m.model, there, varRegion, home)
			continue
		}
		if others := slices.DeleteFunc(slices.Clone(regions), func(r string) bool { return r == there }); len(others) > 0 {
			p.say(p.yamlAt(p.bedrock.get("availableRegions").at()), "Leave only "+there+" in availableRegions.",
				"the profile of '%s' lives in %s; users who pick %s get 'The provided model identifier is invalid'. The profile spreads over Regions by itself.", m.model, there, strings.Join(others, " or "))
			return // once is enough
		}
	}
}

func (p *patient) regions() (list []string) {
	for _, n := range p.bedrock.get("availableRegions").strings() {
		list = append(list, n.value())
	}
	return list
}

func checkBearerRegions(_ context.Context, p *patient) {
	if p.env.get(varBearer) != "" && len(p.regions()) > 1 {
		p.say(p.yamlAt(p.bedrock.get("availableRegions").at()), "Leave one Region in availableRegions.", "with an API key the chosen Region is not on the wire: every call is for the key's own.")
	}
}
