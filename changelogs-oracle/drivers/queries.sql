-- What drivers 3.9.0 asks of the shared database.

-- name: Driver :one
SELECT id, employee_no, name, country, active, skills, updated_at FROM drivers WHERE id = :1;

-- name: ByNumber :one
SELECT id, name, active FROM drivers WHERE employee_no = :1;

-- name: WithSkill :many
SELECT d.id, d.name, j.skill
FROM drivers d, JSON_TABLE(d.skills, '$[*]' COLUMNS (skill VARCHAR2(40) PATH '$')) j
WHERE j.skill = :1 AND d.active = 1
ORDER BY d.id
FETCH FIRST 20 ROWS ONLY;

-- name: Licences :many
SELECT licence_class, valid_to FROM driver_licences WHERE driver_id = :1 ORDER BY licence_class;

-- name: RenewLicence :exec
MERGE INTO driver_licences l
USING (SELECT :1 AS driver_id, :2 AS licence_class FROM dual) n
ON (l.driver_id = n.driver_id AND l.licence_class = n.licence_class)
WHEN MATCHED THEN UPDATE SET l.valid_to = ADD_MONTHS(TRUNC(SYSDATE), 60)
WHEN NOT MATCHED THEN INSERT (driver_id, licence_class, valid_to) VALUES (n.driver_id, n.licence_class, ADD_MONTHS(TRUNC(SYSDATE), 60));

-- name: Expiring :many
SELECT d.id, d.name, l.licence_class, l.valid_to
FROM driver_licences l
JOIN drivers d ON d.id = l.driver_id
WHERE l.driver_id BETWEEN :1 AND :2 AND l.valid_to < TRUNC(SYSDATE) + 400
ORDER BY l.valid_to
FETCH FIRST 20 ROWS ONLY;

-- name: Deactivate :execrows
UPDATE drivers SET active = 0, updated_at = SYSTIMESTAMP WHERE id = :1 AND active = 1;

-- name: Reactivate :execrows
UPDATE drivers SET active = 1, updated_at = SYSTIMESTAMP WHERE id = :1 AND active = 0;

-- name: SetSkills :execrows
UPDATE drivers SET skills = :1, updated_at = SYSTIMESTAMP WHERE id = :2;

-- name: PerCountry :many
SELECT country, COUNT(*) AS drivers, SUM(active) AS active_drivers FROM drivers GROUP BY country ORDER BY country;
