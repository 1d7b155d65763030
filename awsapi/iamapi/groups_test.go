package iamapi

import "testing"

func TestGroupsOnTheWire(t *testing.T) {
	d := openDoor(t)
	has(t, d.do(t, "CreateGroup", "GroupName", "g", "Path", "/x/"), `<Path>/x/</Path><GroupName>g</GroupName><GroupId>AGPA[A-Z2-7]{17}</GroupId><Arn>arn:aws:iam::111122223333:group/x/g</Arn>`)
	d.do(t, "CreateUser", "UserName", "alice")
	d.do(t, "CreateUser", "UserName", "bob")
	d.do(t, "AddUserToGroup", "GroupName", "g", "UserName", "bob")
	d.do(t, "AddUserToGroup", "GroupName", "g", "UserName", "alice")
	d.do(t, "AddUserToGroup", "GroupName", "g", "UserName", "alice")
	has(t, d.do(t, "GetGroup", "GroupName", "g"), `<GroupName>g</GroupName>.*<Users><member>.*alice.*</member><member>.*bob.*</member></Users><IsTruncated>false`)
	has(t, d.do(t, "GetGroup", "GroupName", "g", "MaxItems", "1"), `<IsTruncated>true</IsTruncated><Marker>.+</Marker>`)
	has(t, d.do(t, "ListGroupsForUser", "UserName", "alice"), `<GroupName>g</GroupName>`)
	d.do(t, "UpdateGroup", "GroupName", "g", "NewGroupName", "h", "NewPath", "/")
	has(t, d.do(t, "ListGroupsForUser", "UserName", "alice"), `group/h</Arn>`)
	has(t, d.do(t, "ListGroups"), `<Groups><member><Path>/</Path><GroupName>h</GroupName>`)
	d.refuses(t, 409, "DeleteConflict", "must remove users from group first", "DeleteGroup", "GroupName", "h")
	d.do(t, "RemoveUserFromGroup", "GroupName", "h", "UserName", "alice")
	d.do(t, "RemoveUserFromGroup", "GroupName", "h", "UserName", "bob")
	d.do(t, "DeleteGroup", "GroupName", "h")
	lacks(t, d.do(t, "ListGroups"), "<member>")
}

func TestGroupFailures(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateUser", "UserName", "alice")
	d.do(t, "CreateGroup", "GroupName", "g")
	d.do(t, "CreateGroup", "GroupName", "h")
	d.refuses(t, 409, "EntityAlreadyExists", "Group with name g already exists.", "CreateGroup", "GroupName", "g")
	d.refuses(t, 409, "EntityAlreadyExists", "", "UpdateGroup", "GroupName", "h", "NewGroupName", "g")
	for _, step := range [][]string{
		{"GetGroup"}, {"DeleteGroup"}, {"UpdateGroup", "NewPath", "/x/"}, {"ListAttachedGroupPolicies"}, {"ListGroupPolicies"},
		{"AddUserToGroup", "UserName", "alice"}, {"RemoveUserFromGroup", "UserName", "alice"}, {"AttachGroupPolicy", "PolicyArn", fullARN},
		{"DetachGroupPolicy", "PolicyArn", fullARN}, {"PutGroupPolicy", "PolicyName", "p", "PolicyDocument", allowAll},
		{"GetGroupPolicy", "PolicyName", "p"}, {"DeleteGroupPolicy", "PolicyName", "p"},
	} {
		d.refuses(t, 404, "NoSuchEntity", "The group with name absent cannot be found.", step[0], append(step[1:], "GroupName", "absent")...)
	}
	d.refuses(t, 404, "NoSuchEntity", "The user with name nobody cannot be found.", "AddUserToGroup", "GroupName", "g", "UserName", "nobody")
	for _, g := range []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		d.do(t, "CreateGroup", "GroupName", g)
		d.do(t, "AddUserToGroup", "GroupName", g, "UserName", "alice")
	}
	d.refuses(t, 409, "LimitExceeded", "GroupsPerUser: 10", "AddUserToGroup", "GroupName", "g", "UserName", "alice")
}
