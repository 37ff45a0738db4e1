import test from "ava";
import { remedyFor } from "../../../src/doctor/sandbox.ts";

const open = { unprivilegedClone: undefined, apparmorRestriction: undefined, maxUserNamespaces: "15000" };

test("what the kernel refuses is answered with the setting that allows it", (t) => {
  t.regex(remedyFor({ ...open, unprivilegedClone: "0" }) ?? "", /kernel\.unprivileged_userns_clone=1/);
  t.regex(remedyFor({ ...open, maxUserNamespaces: "0" }) ?? "", /user\.max_user_namespaces/);
  t.regex(remedyFor({ ...open, apparmorRestriction: "1" }) ?? "", /AppArmor/);
});

test("where no setting explains it, none is named", (t) => {
  t.is(remedyFor(open), undefined);
  t.is(remedyFor({ ...open, unprivilegedClone: "1", apparmorRestriction: "0" }), undefined);
});
