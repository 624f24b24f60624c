// What one would write with Express and node-postgres for the same answers, on the hub's own tables.
// It reads PORT, POOL, JWT_SIGNING_KEY and the PG* variables.
const express = require('express'), jwt = require('jsonwebtoken'), pg = require('pg');

pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number);
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(pg.types.builtins.DATE, text => text);
// Without the hub's triggers: what they cost is not this program's to pay.
const pool = new pg.Pool({ max: +process.env.POOL, options: '-c session_replication_role=replica' });

// --- Columns and names ---------------------------------------------------------------------

const camel = name => name.replace(/_([a-z])/g, (_all, letter) => letter.toUpperCase());
const columns = (alias, names) => names.trim().split(/\s+/).map(name => `${alias}.${name} AS "${camel(name)}"`).join(', ');

const CUSTOMER = columns('c', `
  id name name_en phone whatsapp email national_id nationality gender date_of_birth source source_details stage preferences
  lead_score ai_insights priority customer_type tags assigned_employee_id total_deal_value expected_revenue paid_amount
  created_at updated_at last_contact_at last_contact_type next_follow_up_date address city district notes family_size
  occupation latitude longitude total_interactions total_appointments total_property_views response_rate avg_response_time`);
const EMPLOYEE = `e.id AS e_id, e.name AS e_name, e.name_en AS e_name_en, e.email AS e_email, e.phone AS e_phone,
  e.whatsapp AS e_whatsapp, e.job_title AS e_job_title, e.role AS e_role, e.avatar AS e_avatar, e.is_active AS e_is_active`;
const HISTORY = columns('h', `
  id from_stage to_stage changed_by changed_by_id changed_at reason notes auto_generated overridden`);
const PROPERTY = columns('r', `
  id property_id property_title property_title_en property_image property_price property_type property_location status
  added_at viewed_at feedback rating notes`);
const INTERACTION = columns('r', `
  id type direction date duration notes outcome agent_name agent_id sentiment follow_up_required follow_up_date`);
const APPOINTMENT = columns('r', `
  id title title_en type datetime duration location property_id property_title status priority notes agent_name agent_id
  outcome created_at updated_at`);
const ACTION = columns('a', `
  id customer_id type title description priority status source due_date snoozed_until created_at updated_at completed_at
  dismissed_at outcome reason metadata`) + ', a.assigned_to_id AS "assignedTo", a.completed_by_id AS "completedBy"';
const SUMMARY = ['id', 'name', 'name_en', 'phone', 'whatsapp', 'email', 'city', 'stage', 'priority', 'lead_score', 'preferences'];
const NOTE = columns('n', 'id content created_by created_by_id created_at');
const FROM = 'FROM customers c LEFT JOIN employees e ON e.id = c.assigned_employee_id';

function withEmployee(row) {
  const { e_id, e_name, e_name_en, e_email, e_phone, e_whatsapp, e_job_title, e_role, e_avatar, e_is_active, ...rest } = row;
  rest.assignedEmployee = e_id && {
    id: e_id, name: e_name, nameEn: e_name_en, email: e_email, phone: e_phone, whatsapp: e_whatsapp, role: e_job_title,
    roleKey: e_role, avatar: e_avatar, isActive: e_is_active,
  };
  return rest;
}

async function grouped(sql, ids, key) {
  const { rows } = await pool.query(sql, [ids]), groups = new Map(ids.map(id => [id, []]));
  for (const { [key]: id, ...row } of rows) groups.get(id).push(row);
  return groups;
}

async function wholeCustomers(rows) {
  const histories = await grouped(
    `SELECT h.customer_id AS of, ${HISTORY} FROM stage_history h WHERE h.customer_id = ANY($1) ORDER BY h.changed_at, h.id`,
    rows.map(row => row.id), 'of');
  return rows.map(row => ({ ...withEmployee(row), stageHistory: histories.get(row.id) }));
}

// --- Conditions and pages ---------------------------------------------------------------------

const listed = value => (Array.isArray(value) ? value : value.split(','));

function conditions(first, org, query, filters) {
  const params = [org], parts = [first];
  for (const [name, column] of Object.entries(filters)) {
    if (query[name]) parts.push(`${column} = ANY($${params.push(listed(query[name]))})`);
  }
  return { params, where: parts.join(' AND ') };
}

const pageOf = query => ({ page: Math.max(1, +(query.page || 1)), limit: Math.min(100, +(query.limit || 20)) });
const pagination = (page, limit, total) => ({
  currentPage: page, pageSize: limit, totalPages: Math.ceil(total / limit), totalItems: total,
  hasNextPage: page * limit < total, hasPreviousPage: page > 1,
});

// --- Answers ----------------------------------------------------------------------------------

async function listCustomers(org, query) {
  const { params, where } = conditions('c.organization_id = $1 AND c.deleted_at IS NULL', org, query,
    { stage: 'c.stage', priority: 'c.priority', city: 'c.city_key' });
  const { page, limit } = pageOf(query), n = params.length;
  if (query.cursor) {
    const [at, id] = JSON.parse(Buffer.from(query.cursor, 'base64url'));
    const { rows } = await pool.query(
      `SELECT ${CUSTOMER}, ${EMPLOYEE} ${FROM} WHERE ${where} AND (c.created_at, c.id) < ($${n + 1}, $${n + 2})
       ORDER BY c.created_at DESC, c.id DESC LIMIT $${n + 3}`, [...params, at, id, limit + 1]);
    const hasNext = rows.length > limit, customers = await wholeCustomers(rows.slice(0, limit));
    const last = customers.at(-1);
    const nextCursor = hasNext && Buffer.from(JSON.stringify([last.createdAt, last.id])).toString('base64url');
    return { customers, pagination: { nextCursor, hasNext, limit } };
  }
  const [{ rows }, counted] = await Promise.all([
    pool.query(`SELECT ${CUSTOMER}, ${EMPLOYEE} ${FROM} WHERE ${where}
      ORDER BY c.created_at DESC, c.id DESC LIMIT $${n + 1} OFFSET $${n + 2}`, [...params, limit, (page - 1) * limit]),
    pool.query(`SELECT count(*) AS n FROM customers c WHERE ${where}`, params)]);
  return { customers: await wholeCustomers(rows), pagination: pagination(page, limit, counted.rows[0].n) };
}

async function getCustomer(org, id, include) {
  const wanted = new Set(listed(include || ''));
  const relation = async (name, sql) => (wanted.has(name) ? (await pool.query(sql, [id])).rows : undefined);
  const [{ rows }, properties, interactions, appointments] = await Promise.all([
    pool.query(`SELECT ${CUSTOMER}, ${EMPLOYEE} ${FROM} WHERE c.organization_id = $1 AND c.id = $2 AND c.deleted_at IS NULL`,
      [org, id]),
    relation('properties', `SELECT ${PROPERTY} FROM property_interests r WHERE customer_id = $1 ORDER BY added_at DESC, id DESC LIMIT 50`),
    relation('interactions', `SELECT ${INTERACTION} FROM interactions r WHERE customer_id = $1 ORDER BY date DESC, id DESC LIMIT 50`),
    relation('appointments', `SELECT ${APPOINTMENT} FROM appointments r WHERE customer_id = $1 ORDER BY datetime DESC, id DESC LIMIT 50`)]);
  if (!rows.length) return null;
  const [customer] = await wholeCustomers(rows);
  return { customer: { ...customer, properties, interactions, appointments } };
}

async function listActions(org, query) {
  let { params, where } = conditions('a.organization_id = $1 AND c.deleted_at IS NULL', org, query,
    { status: 'a.status', type: 'a.type', priority: 'a.priority', city: 'c.city_key' });
  if (query.dueDate === 'week') {
    const today = "date_trunc('day', now(), 'Asia/Riyadh')";
    where += ` AND a.due_date >= ${today} AND a.due_date < ${today} + interval '8 days'`;
  }
  const { page, limit } = pageOf(query), n = params.length;
  const from = 'FROM customer_actions a JOIN customers c ON c.id = a.customer_id';
  const [{ rows }, counted] = await Promise.all([
    pool.query(`SELECT ${ACTION}, t.name AS "assignedToName", b.name AS "completedByName",
      ${SUMMARY.map(name => `c.${name} AS c_${name}`).join(', ')}, ${EMPLOYEE} ${from}
      LEFT JOIN employees e ON e.id = c.assigned_employee_id LEFT JOIN employees t ON t.id = a.assigned_to_id
      LEFT JOIN employees b ON b.id = a.completed_by_id WHERE ${where}
      ORDER BY a.created_at DESC, a.id DESC LIMIT $${n + 1} OFFSET $${n + 2}`, [...params, limit, (page - 1) * limit]),
    pool.query(`SELECT count(*) AS n ${from} WHERE ${where}`, params)]);
  const notes = await grouped(
    `SELECT n.action_id AS of, ${NOTE} FROM action_notes n WHERE n.action_id = ANY($1) ORDER BY n.created_at, n.id`,
    rows.map(row => row.id), 'of');
  const actions = rows.map(row => {
    const { assignedEmployee, ...action } = withEmployee(row), customer = { assignedEmployee };
    for (const name of SUMMARY) {
      customer[camel(name)] = action[`c_${name}`];
      delete action[`c_${name}`];
    }
    const { propertyType, budgetMin, budgetMax, preferredAreas } = customer.preferences;
    customer.preferences = { propertyType, budgetMin, budgetMax, preferredAreas };
    return { ...action, customerName: customer.name, customer, notes: notes.get(action.id) };
  });
  return { actions, pagination: pagination(page, limit, counted.rows[0].n) };
}

async function actionStatistics(org) {
  const ofOrg = 'FROM customer_actions WHERE organization_id = $1 AND NOT customer_deleted';
  const open = "AND status IN ('pending', 'in_progress')";
  const counts = async (column, condition) => {
    const { rows } = await pool.query(`SELECT ${column} AS key, count(*) AS n ${ofOrg} ${condition} GROUP BY 1`, [org]);
    return Object.fromEntries(rows.map(row => [row.key, row.n]));
  };
  const day = "date_trunc('day', now(), 'Asia/Riyadh')", month = "date_trunc('month', now(), 'Asia/Riyadh')";
  const due = (from, length) => `due_date >= ${from} AND due_date < ${from} + interval '${length}'`;
  const [statuses, byType, byPriority, bySource, dueDates, timeline] = await Promise.all([
    counts('status', ''), counts('type', open), counts('priority', open), counts('source', open),
    pool.query(`SELECT count(*) FILTER (WHERE due_date < now()) AS overdue, count(*) FILTER (WHERE ${due(day, '1 day')}) AS today,
      count(*) FILTER (WHERE ${due(day, '8 days')}) AS "thisWeek", count(*) FILTER (WHERE ${due(month, '1 month')}) AS "thisMonth",
      count(*) FILTER (WHERE due_date IS NULL) AS "noDueDate" ${ofOrg} ${open}`, [org]),
    pool.query(`SELECT avg(extract(epoch FROM completed_at - created_at)) FILTER (WHERE status = 'completed') / 3600
      AS "avgCompletionTime", 100.0 * count(*) FILTER (WHERE status = 'completed') / greatest(count(*), 1) AS "completionRate"
      ${ofOrg}`, [org])]);
  const { pending = 0, in_progress: inProgress = 0, completed = 0, dismissed = 0, snoozed = 0 } = statuses;
  return { stats: {
    total: { pending, inProgress, completed, dismissed, snoozed }, byType, byPriority, bySource, dueDates: dueDates.rows[0],
    timeline: timeline.rows[0],
  } };
}

async function search(org, { query, limit }) {
  const found = 'FROM names_of_peers c WHERE c.organization_id = $1 AND hub_fold($2) <% c.name';
  const [{ rows: ranked }, counted] = await Promise.all([
    pool.query(`SELECT c.id, word_similarity(hub_fold($2), c.name) AS score ${found} ORDER BY score DESC, c.id LIMIT $3`,
      [org, query, limit || 20]),
    pool.query(`SELECT count(*) AS n ${found}`, [org, query])]);
  const ids = ranked.map(row => row.id);
  const { rows } = await pool.query(`SELECT ${CUSTOMER}, ${EMPLOYEE} ${FROM} WHERE c.id = ANY($1)`, [ids]);
  const byId = new Map((await wholeCustomers(rows)).map(customer => [customer.id, customer]));
  const results = ranked.map(({ id, score }) => ({ customer: byId.get(id), score, matchedFields: ['name'] }));
  return { results, total: counted.rows[0].n };
}

async function bulkComplete(org, user, { actionIds }) {
  const { rows } = await pool.query(
    `UPDATE customer_actions SET status = 'completed', completed_at = now(), completed_by_id = $3, updated_at = now(),
       version = version + 1
     WHERE organization_id = $1 AND id = ANY($2) AND completed_at IS NULL RETURNING id`, [org, actionIds, user]);
  const done = new Set(rows.map(row => row.id));
  return {
    updatedCount: done.size, completedCount: done.size, failed: actionIds.filter(id => !done.has(id)),
    actions: rows.map(row => ({ id: row.id, status: 'success' })),
  };
}

// --- Routes -----------------------------------------------------------------------------------

const app = express(), at = '/api/v1/customers';
app.set('query parser', 'extended');
app.use(express.json());
app.use((request, response, next) => {
  try {
    request.user = jwt.verify((request.headers.authorization || '').slice(7), process.env.JWT_SIGNING_KEY, { algorithms: ['HS256'] });
  } catch {
    return response.status(401).json({ success: false, error: { code: 'UNAUTHORIZED' } });
  }
  next();
});
const answer = ask => async (request, response) => {
  const data = await ask(request, request.user.organizationId);
  if (!data) return response.status(404).json({ success: false, error: { code: 'RESOURCE_NOT_FOUND' } });
  const meta = { timestamp: new Date().toISOString(), requestId: 'req_' + Math.random().toString(36).slice(2, 10) };
  response.json({ success: true, data, meta });
};
app.get(at, answer((request, org) => listCustomers(org, request.query)));
app.get(at + '/actions', answer((request, org) => listActions(org, request.query)));
app.get(at + '/actions/stats', answer((_request, org) => actionStatistics(org)));
app.post(at + '/actions/bulk/complete', answer((request, org) => bulkComplete(org, request.user.userId, request.body)));
app.post(at + '/search', answer((request, org) => search(org, request.body)));
app.get(at + '/:id', answer((request, org) => getCustomer(org, request.params.id, request.query.include)));
app.listen(+process.env.PORT, '127.0.0.1');
