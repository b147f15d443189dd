/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c: one reply to every request, and the same reply to the same request again.
 *
 * A request is known by (account, Idempotency-Key); its answer is kept for 24 hours. The same key with another body
 * is refused. Answers that say "try again" are not kept, or the retry would be told the same. */
#include "engine/state.h"

static void reply(struct engine *e, enum err_code code, enum row_kind kind, uint64_t id, struct uuid uuid, bool again)
{
    struct effect *effect = effects_add(e->out, EFFECT_REPLY);
    effect->reply = (struct effect_reply){.code = (uint8_t)code, .again = again, .subject_kind = (uint8_t)kind,
                                          .subject_id = id, .subject = uuid};
    effects_added(e->out, effect);
}

void reply_err(struct engine *e, enum err_code code)
{
    reply(e, code, ROW_PARTITION, 0, (struct uuid){{0}}, false);
}

void reply_row(struct engine *e, enum row_kind kind, uint64_t id, struct uuid uuid)
{
    reply(e, ERR_OK, kind, id, uuid, false);
}

bool answer_again(struct engine *e, const struct request_key *key)
{
    if (!key->key0 && !key->key1) return false;
    const struct answer *a = answer_find(e, key);
    if (!a && e->pools[ROW_ANSWER].count >= e->pools[ROW_ANSWER].limit) {
        reply_err(e, ERR_FULL); /* an answer that cannot be kept could be acted on twice */
        return true;
    }
    if (!a) return false;
    if (a->body_hash != key->body_hash) {
        reply_err(e, ERR_IDEMPOTENCY_MISMATCH);
        return true;
    }
    reply(e, a->code, a->subject_kind, a->subject_id, a->subject, true);
    return true;
}

static void keep(struct engine *e, const struct request_key *key, enum err_code code, enum row_kind kind, uint64_t id,
                 struct uuid uuid)
{
    if ((!key->key0 && !key->key1) || err_retry(code)) return;
    struct answer *a = add_row(e, ROW_ANSWER);
    must(a); /* answer_again saw to it that there is room */
    a->account = key->account;
    a->key0 = key->key0;
    a->key1 = key->key1;
    a->body_hash = key->body_hash;
    a->code = (uint8_t)code;
    a->subject_kind = (uint8_t)kind;
    a->subject_id = id;
    a->subject = uuid;
    a->at_ms = now_of(e);
    index_row(e, ROW_ANSWER, a);
    timer_touch(e, ROW_ANSWER, a);
}

void answer_err(struct engine *e, const struct request_key *key, enum err_code code)
{
    keep(e, key, code, ROW_PARTITION, 0, (struct uuid){{0}});
    reply_err(e, code);
}

void answer_row(struct engine *e, const struct request_key *key, enum row_kind kind, uint64_t id, struct uuid uuid)
{
    keep(e, key, ERR_OK, kind, id, uuid);
    reply_row(e, kind, id, uuid);
}
