package librechat

var liveBreakages []breakage
