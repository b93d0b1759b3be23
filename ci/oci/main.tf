# A clone of an Autonomous Database, made of one of its backups. Drydock begins it as a stack of Resource Manager, looks at the plan
# before it is applied, and destroys it when the rehearsal is over. Nothing here is a secret: the password of ADMIN lies in a vault.

terraform {
  # The first with `startswith`; Resource Manager has 1.5.x.
  required_version = ">= 1.3"

  required_providers {
    oci = {
      source  = "oracle/oci"
      version = ">= 6.0"
    }
  }
}

provider "oci" {
  region = var.region
}

locals {
  nsg_ids         = compact(split(",", var.nsg_ids))
  whitelisted_ips = compact(split(",", var.whitelisted_ips))
}

resource "oci_database_autonomous_database" "clone" {
  compartment_id = var.compartment_ocid
  display_name   = var.display_name
  db_name        = var.db_name

  source                        = "BACKUP_FROM_ID"
  autonomous_database_backup_id = var.backup_id
  clone_type                    = var.clone_type

  compute_model           = "ECPU"
  compute_count           = var.ecpu_count
  is_auto_scaling_enabled = false
  license_model           = var.license_model == "" ? null : var.license_model

  secret_id             = var.secret_id
  secret_version_number = var.secret_version_number == 0 ? null : var.secret_version_number

  subnet_id                   = var.subnet_id == "" ? null : var.subnet_id
  nsg_ids                     = length(local.nsg_ids) == 0 ? null : local.nsg_ids
  whitelisted_ips             = length(local.whitelisted_ips) == 0 ? null : local.whitelisted_ips
  is_mtls_connection_required = var.is_mtls_connection_required

  freeform_tags = {
    "drydock-run" = var.run
  }

  lifecycle {
    # The service changes these by itself, and a clone that is replaced is another database than the one that was rehearsed on.
    ignore_changes = [defined_tags, db_version]
  }

  timeouts {
    create = "4h"
    delete = "1h"
  }
}
